/* An update is confirmed when it has shown that it works. */
#pragma once

void confirm_after_self_test(void);
