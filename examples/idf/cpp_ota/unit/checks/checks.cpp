// What is asked of the device.
#include "checks.hpp"

#include <string>

#include "esp_netif.h"
#include "esp_system.h"

namespace health {

void NetworkCheck::run() const
{
    if (esp_netif_get_nr_of_ifs() == 0) {
        throw Failure("no network");
    }
}

unsigned MemoryCheck::left() const
{
    return esp_get_free_heap_size();
}

void MemoryCheck::run() const
{
    if (left() < least_) {
        throw Failure("only " + std::to_string(left()) + " bytes of memory");
    }
}

} // namespace health
