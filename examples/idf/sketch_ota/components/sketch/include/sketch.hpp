// A sketch: setup() runs once, then loop() for as long as the device does.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

void setup();
void loop();

// Milliseconds since the boot; and a wait of so many.
std::uint32_t millis();
void delay(std::uint32_t ms);

// The next line of the console; nothing when it has ended.
std::optional<std::string> readLine();
