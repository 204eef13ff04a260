/* How waits grow. */
#include "schedule.h"
#include "unity.h"

static const schedule_t schedule = {.first_s = 30, .limit_s = 3600};

TEST_CASE("without a failure it is the limit", "[schedule]")
{
    TEST_ASSERT_EQUAL_UINT32(3600, schedule_next_s(&schedule, 0));
}

TEST_CASE("each failure doubles the wait", "[schedule]")
{
    static const uint32_t expected[] = {30, 60, 120, 240, 480, 960, 1920, 3600, 3600};
    uint32_t waits[9];
    for (uint32_t i = 0; i < 9; i++) {
        waits[i] = schedule_next_s(&schedule, i + 1);
    }
    TEST_ASSERT_EQUAL_UINT32_ARRAY(expected, waits, 9);
}

TEST_CASE("no number of failures is too large", "[schedule]")
{
    const schedule_t long_one = {.first_s = 1, .limit_s = UINT32_MAX};
    TEST_ASSERT_EQUAL_UINT32(UINT32_MAX, schedule_next_s(&long_one, UINT32_MAX));
    TEST_ASSERT_LESS_THAN_UINT32(UINT32_MAX, schedule_next_s(&long_one, 32));
}
