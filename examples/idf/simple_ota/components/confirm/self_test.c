/* A product tests here what its next update needs: the network, the memory, its sensors. */
#include "self_test.h"

#include "esp_netif.h"

bool self_test(void)
{
    return esp_netif_get_nr_of_ifs() > 0;
}
