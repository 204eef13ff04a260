// Runs checks, and tells of each what it was.
#include "health.hpp"

#include "esp_log.h"

namespace health {

void run_all(const std::vector<std::unique_ptr<Check>> &checks)
{
    for (const auto &check : checks) {
        check->run();
        if (const auto *measured = dynamic_cast<const Measured *>(check.get())) {
            ESP_LOGI("health", "%s: passed, %u left", check->name(), measured->left());
        } else {
            ESP_LOGI("health", "%s: passed", check->name());
        }
    }
}

} // namespace health
