// A task of its own for the sketch, as Arduino's core has one.
#include "sketch.hpp"

#include <cstdio>

#include "esp_timer.h"
#include "freertos/FreeRTOS.h"
#include "freertos/task.h"

namespace {

constexpr std::uint32_t stackSize = 8192;
constexpr int priority = 1;

void run(void *)
{
    setup();
    for (;;) {
        loop();
    }
}

} // namespace

std::uint32_t millis()
{
    return static_cast<std::uint32_t>(esp_timer_get_time() / 1000);
}

void delay(std::uint32_t ms)
{
    vTaskDelay(pdMS_TO_TICKS(ms));
}

std::optional<std::string> readLine()
{
    char line[256];
    if (std::fgets(line, sizeof(line), stdin) == nullptr) {
        return std::nullopt;
    }
    std::string text = line;
    text.erase(text.find_last_not_of("\r\n") + 1);
    return text;
}

extern "C" void app_main()
{
    xTaskCreate(run, "loopTask", stackSize, nullptr, priority, nullptr);
}
