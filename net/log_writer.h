// Writes the log in a thread of its own, so that whoever logs never waits for who reads standard error: a container's
// log that nobody takes would otherwise stop every thread that has something to say. Threads: any.
#pragma once

#include <chrono>
#include <cstddef>

namespace portcullis::net {

// From now on, for a process that goes on to its end. Up to `max_bytes` of lines wait; what comes when they are full is
// dropped, and a line says how many were.
void write_log_in_background(std::size_t max_bytes = std::size_t{1} << 20);
// Waits until everything is written; false: not within that time. True at once without write_log_in_background().
bool flush_log(std::chrono::milliseconds at_most);
// What waits, and the room kept for it.
std::size_t log_bytes();

}  // namespace portcullis::net
