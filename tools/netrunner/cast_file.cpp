#include "tools/netrunner/cast_file.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

#include <nlohmann/json.hpp>

#include "tools/netrunner/messages.hpp"
#include "tools/netrunner/text.hpp"

namespace netrunner::tool {
namespace {

using Json = nlohmann::ordered_json;

/// JSON holds Unicode only: what is none becomes U+FFFD, as a terminal would show it.
std::string line_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"; }

}  // namespace

CastFile::~CastFile() { (void)close(); }

Checked<void> CastFile::open(const std::string& path, const WindowSize& size, const std::vector<std::string>& argv) {
  fd_ = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
  if (fd_ < 0) return std::unexpected("--record " + path + ": " + std::strerror(errno) + "; nothing was started.");
  begun_ = std::chrono::steady_clock::now();
  Json head = {{"version", 2},       {"width", size.columns},        {"height", size.rows},
               {"timestamp", std::time(nullptr)}, {"command", shell_line(argv)}, {"env", Json::object()}};
  for (const char* name : {"SHELL", "TERM"}) {
    if (const char* value = std::getenv(name)) head["env"][name] = value;
  }
  put(line_of(head));
  return {};
}

void CastFile::output(std::span<const std::byte> bytes) {
  const std::lock_guard guard(mutex_);
  if (fd_ < 0) return;
  std::string text = std::exchange(unfinished_, {});
  text.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  const std::size_t whole = text.size() - unfinished_utf8_bytes(text);
  unfinished_ = text.substr(whole);
  text.resize(whole);
  if (!text.empty()) event("o", text);
}

void CastFile::resize(const WindowSize& size) {
  const std::lock_guard guard(mutex_);
  if (fd_ >= 0) event("r", std::to_string(size.columns) + "x" + std::to_string(size.rows));
}

int CastFile::close() {
  const std::lock_guard guard(mutex_);
  if (fd_ < 0) return failed_;
  if (!unfinished_.empty()) event("o", std::exchange(unfinished_, {}));
  if (::close(std::exchange(fd_, -1)) != 0 && failed_ == 0) failed_ = errno;
  return failed_;
}

void CastFile::event(std::string_view kind, const std::string& text) {
  const std::chrono::duration<double> since = std::chrono::steady_clock::now() - begun_;
  put(line_of(Json::array({since.count(), std::string(kind), text})));
}

void CastFile::put(const std::string& line) {
  if (failed_ == 0) failed_ = write_all(fd_, line);
}

}  // namespace netrunner::tool
