/* What outlives a restart. */
#include "esp_system.h"
#include "telemetry.h"
#include "unity.h"

TEST_CASE("an update ends the count", "[telemetry]")
{
    TEST_ESP_OK(telemetry_updated());
    TEST_ESP_OK(telemetry_failed());
    TEST_ESP_OK(telemetry_failed());
    TEST_ASSERT_EQUAL(2, telemetry_failures());
    TEST_ESP_OK(telemetry_updated());
    TEST_ASSERT_EQUAL(0, telemetry_failures());
}

static void count_one(void)
{
    TEST_ESP_OK(telemetry_updated());
    TEST_ESP_OK(telemetry_failed());
    esp_restart();
}

static void find_it(void)
{
    TEST_ASSERT_EQUAL(1, telemetry_failures());
}

TEST_CASE_MULTIPLE_STAGES("a count outlives a restart", "[telemetry]", count_one, find_it);
