/* Runs what the console asks for: * is all, [schedule] what has that tag. */
#include "nvs_flash.h"
#include "unity.h"

void app_main(void)
{
    TEST_ESP_OK(nvs_flash_init());
    unity_run_menu();
}
