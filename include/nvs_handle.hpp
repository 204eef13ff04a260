/* ESP-IDF's NVS for C++: a handle that closes itself, over the functions of nvs.h. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <memory>
#include <new>
#include <string>
#include <type_traits>

#include "nvs.h"

namespace nvs {

/** What a value is; the last three are of the format. */
enum class ItemType : uint8_t {
    U8 = NVS_TYPE_U8,
    I8 = NVS_TYPE_I8,
    U16 = NVS_TYPE_U16,
    I16 = NVS_TYPE_I16,
    U32 = NVS_TYPE_U32,
    I32 = NVS_TYPE_I32,
    U64 = NVS_TYPE_U64,
    I64 = NVS_TYPE_I64,
    SZ = NVS_TYPE_STR,
    BLOB = 0x41,
    BLOB_DATA = NVS_TYPE_BLOB,
    BLOB_IDX = 0x48,
    ANY = NVS_TYPE_ANY
};

/** The type of an integer or of an enumeration. */
template <typename T, typename std::enable_if<std::is_integral<T>::value || std::is_enum<T>::value, int>::type = 0>
constexpr ItemType itemTypeOf()
{
    return static_cast<ItemType>((std::is_signed<T>::value ? 0x10 : 0x00) | sizeof(T));
}

template <typename T> constexpr ItemType itemTypeOf(const T &)
{
    return itemTypeOf<T>();
}

/**
 * An open namespace; its end closes it. Errors are those of the function of nvs.h that each stands for. Texts and bytes are
 * read into `len` bytes, which must be enough (ESP_ERR_NVS_INVALID_LENGTH).
 */
class NVSHandle {
public:
    virtual ~NVSHandle() = default;

    template <typename T> esp_err_t set_item(const char *key, T value)
    {
        return set_typed_item(itemTypeOf(value), key, &value, sizeof(value));
    }
    template <typename T> esp_err_t get_item(const char *key, T &value)
    {
        return get_typed_item(itemTypeOf(value), key, &value, sizeof(value));
    }
    virtual esp_err_t set_string(const char *key, const char *value) = 0;
    virtual esp_err_t set_blob(const char *key, const void *blob, size_t len) = 0;
    virtual esp_err_t get_string(const char *key, char *out_str, size_t len) = 0;
    virtual esp_err_t get_blob(const char *key, void *out_blob, size_t len) = 0;
    /** Bytes of a text with its end (SZ), or of bytes (any kind of BLOB). */
    virtual esp_err_t get_item_size(ItemType datatype, const char *key, size_t &size) = 0;
    virtual esp_err_t find_key(const char *key, nvs_type_t &nvstype) = 0;
    virtual esp_err_t erase_item(const char *key) = 0;
    virtual esp_err_t erase_all() = 0;
    virtual esp_err_t purge_all() = 0;
    virtual esp_err_t commit() = 0;
    virtual esp_err_t get_used_entry_count(size_t &usedEntries) = 0;

protected:
    virtual esp_err_t set_typed_item(ItemType datatype, const char *key, const void *data, size_t dataSize) = 0;
    virtual esp_err_t get_typed_item(ItemType datatype, const char *key, void *data, size_t dataSize) = 0;
};

/** The handle that open_nvs_handle() gives. */
class NVSHandleSimple final : public NVSHandle {
public:
    explicit NVSHandleSimple(nvs_handle_t handle) : handle(handle) {}
    NVSHandleSimple(const NVSHandleSimple &) = delete;
    NVSHandleSimple &operator=(const NVSHandleSimple &) = delete;
    ~NVSHandleSimple() override { nvs_close(handle); }

    esp_err_t set_string(const char *key, const char *value) override { return nvs_set_str(handle, key, value); }
    esp_err_t set_blob(const char *key, const void *blob, size_t len) override
    {
        return nvs_set_blob(handle, key, blob, len);
    }
    esp_err_t get_string(const char *key, char *out_str, size_t len) override
    {
        return nvs_get_str(handle, key, out_str, &len);
    }
    esp_err_t get_blob(const char *key, void *out_blob, size_t len) override
    {
        return nvs_get_blob(handle, key, out_blob, &len);
    }
    esp_err_t get_item_size(ItemType datatype, const char *key, size_t &size) override
    {
        size_t found = 0;
        esp_err_t err = ESP_ERR_INVALID_ARG;
        if (datatype == ItemType::SZ) {
            err = nvs_get_str(handle, key, nullptr, &found);
        } else if (datatype == ItemType::BLOB || datatype == ItemType::BLOB_DATA || datatype == ItemType::BLOB_IDX) {
            err = nvs_get_blob(handle, key, nullptr, &found);
        }
        size = err == ESP_OK ? found : size;
        return err;
    }
    esp_err_t find_key(const char *key, nvs_type_t &nvstype) override { return nvs_find_key(handle, key, &nvstype); }
    esp_err_t erase_item(const char *key) override { return nvs_erase_key(handle, key); }
    esp_err_t erase_all() override { return nvs_erase_all(handle); }
    esp_err_t purge_all() override { return nvs_purge_all(handle); }
    esp_err_t commit() override { return nvs_commit(handle); }
    esp_err_t get_used_entry_count(size_t &usedEntries) override
    {
        return nvs_get_used_entry_count(handle, &usedEntries);
    }

protected:
    esp_err_t set_typed_item(ItemType datatype, const char *key, const void *data, size_t) override
    {
        switch (datatype) {
        case ItemType::U8: return nvs_set_u8(handle, key, *static_cast<const uint8_t *>(data));
        case ItemType::I8: return nvs_set_i8(handle, key, *static_cast<const int8_t *>(data));
        case ItemType::U16: return nvs_set_u16(handle, key, *static_cast<const uint16_t *>(data));
        case ItemType::I16: return nvs_set_i16(handle, key, *static_cast<const int16_t *>(data));
        case ItemType::U32: return nvs_set_u32(handle, key, *static_cast<const uint32_t *>(data));
        case ItemType::I32: return nvs_set_i32(handle, key, *static_cast<const int32_t *>(data));
        case ItemType::U64: return nvs_set_u64(handle, key, *static_cast<const uint64_t *>(data));
        case ItemType::I64: return nvs_set_i64(handle, key, *static_cast<const int64_t *>(data));
        default: return ESP_ERR_INVALID_ARG;
        }
    }
    esp_err_t get_typed_item(ItemType datatype, const char *key, void *data, size_t) override
    {
        switch (datatype) {
        case ItemType::U8: return nvs_get_u8(handle, key, static_cast<uint8_t *>(data));
        case ItemType::I8: return nvs_get_i8(handle, key, static_cast<int8_t *>(data));
        case ItemType::U16: return nvs_get_u16(handle, key, static_cast<uint16_t *>(data));
        case ItemType::I16: return nvs_get_i16(handle, key, static_cast<int16_t *>(data));
        case ItemType::U32: return nvs_get_u32(handle, key, static_cast<uint32_t *>(data));
        case ItemType::I32: return nvs_get_i32(handle, key, static_cast<int32_t *>(data));
        case ItemType::U64: return nvs_get_u64(handle, key, static_cast<uint64_t *>(data));
        case ItemType::I64: return nvs_get_i64(handle, key, static_cast<int64_t *>(data));
        default: return ESP_ERR_INVALID_ARG;
        }
    }

private:
    const nvs_handle_t handle;
};

/** @param err  NULL is fine; else what nvs_open_from_partition() has said. @return nullptr: it is not open */
inline std::unique_ptr<NVSHandle> open_nvs_handle_from_partition(const char *partition_name, const char *ns_name,
                                                                 nvs_open_mode_t open_mode, esp_err_t *err = nullptr)
{
    nvs_handle_t number = 0;
    std::unique_ptr<NVSHandle> made;
    esp_err_t status = partition_name != nullptr
                           ? nvs_open_from_partition(partition_name, ns_name, open_mode, &number)
                           : ESP_ERR_INVALID_ARG;
    if (status == ESP_OK) {
        made.reset(new (std::nothrow) NVSHandleSimple(number));
        if (made == nullptr) {
            nvs_close(number);
            status = ESP_ERR_NO_MEM;
        }
    }
    if (err != nullptr) {
        *err = status;
    }
    return made;
}

inline std::unique_ptr<NVSHandle> open_nvs_handle(const char *ns_name, nvs_open_mode_t open_mode, esp_err_t *err = nullptr)
{
    return open_nvs_handle_from_partition(NVS_DEFAULT_PART_NAME, ns_name, open_mode, err);
}

} // namespace nvs
