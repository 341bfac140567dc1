#pragma once
/// Everything at once (but <netrunner/spdlog.hpp>, which needs spdlog).

#include <netrunner/adopted.hpp>
#include <netrunner/awaitable.hpp>
#include <netrunner/blocking.hpp>
#include <netrunner/capabilities.hpp>
#include <netrunner/chunk.hpp>
#include <netrunner/command.hpp>
#include <netrunner/deadline.hpp>
#include <netrunner/engine.hpp>
#include <netrunner/error.hpp>
#include <netrunner/event.hpp>
#include <netrunner/exit_status.hpp>
#include <netrunner/histogram.hpp>
#include <netrunner/kill_ladder.hpp>
#include <netrunner/limits.hpp>
#include <netrunner/lines.hpp>
#include <netrunner/log.hpp>
#include <netrunner/pipeline.hpp>
#include <netrunner/probe.hpp>
#include <netrunner/process.hpp>
#include <netrunner/process_stream.hpp>
#include <netrunner/stats.hpp>
#include <netrunner/stdio.hpp>
#include <netrunner/task.hpp>
#include <netrunner/tee.hpp>
#include <netrunner/when.hpp>
