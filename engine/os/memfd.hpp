#pragma once

#include <cstddef>
#include <span>

#include <netrunner/error.hpp>

#include "engine/os/unique_fd.hpp"

namespace netrunner::os {

/// Whether the memfd will be executed: since Linux 6.3 vm.memfd_noexec may forbid it, see memfd_create(2).
enum class MemfdUse { data, program };

/// An anonymous file with these bytes, sealed against every change; above 2, close-on-exec.
[[nodiscard]] Result<UniqueFd> sealed_memfd(const char* name, std::span<const std::byte> bytes, MemfdUse use);

}  // namespace netrunner::os
