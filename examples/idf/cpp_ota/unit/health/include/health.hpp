// Checks that an update has to pass.
#pragma once

#include <memory>
#include <stdexcept>
#include <vector>

namespace health {

class Failure : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

class Check {
public:
    virtual ~Check() = default;
    virtual const char *name() const = 0;
    /** @throw Failure */
    virtual void run() const = 0;
};

/** A check that knows how much is left tells it. */
class Measured {
public:
    virtual ~Measured() = default;
    virtual unsigned left() const = 0;
};

/** All of them, in order. @throw Failure: the first one's */
void run_all(const std::vector<std::unique_ptr<Check>> &checks);

} // namespace health
