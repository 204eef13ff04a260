// The checks of this product.
#pragma once

#include "health.hpp"

namespace health {

/** The device is on a network, so it can fetch its next update. */
class NetworkCheck : public Check {
public:
    const char *name() const override { return "network"; }
    void run() const override;
};

/** There is memory for the next update. */
class MemoryCheck : public Check, public Measured {
public:
    explicit MemoryCheck(unsigned least) : least_(least) {}
    const char *name() const override { return "memory"; }
    void run() const override;
    unsigned left() const override;

private:
    unsigned least_;
};

} // namespace health
