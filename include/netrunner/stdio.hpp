#pragma once
/// Where a command's descriptors lead.

#include <cstdint>
#include <string>
#include <utility>

#include <netrunner/limits.hpp>

namespace netrunner {

/// A stream of a command, named by the descriptor number that the command sees.
enum class Stream : int { in = 0, out = 1, err = 2 };
[[nodiscard]] constexpr Stream extra_stream(int descriptor) noexcept { return static_cast<Stream>(descriptor); }

/// What carries the bytes of a stream between host and command. Credit, order, end of file and what is still delivered
/// after the command's death are the same for both.
enum class Transport : std::uint8_t {
  pipe,  ///< pipe(7). What every program expects.
  /// A pair of AF_UNIX stream sockets, see unix(7), each used in one direction: several times a pipe's throughput for
  /// bulk, at less processor time; about twice its latency for small pieces. To the command it is not quite a pipe:
  ///   - "/dev/stdout", "/proc/self/fd/1" and the like can't be opened (ENXIO).
  ///   - Some programs look twice at a socket: bash (-c, without SHLVL) reads ~/.bashrc where its stdin is one.
  ///   - A read of its stdout or stderr gives end of file.
  ///   - What it writes to its stdin nobody reads (of a pipe it gets EBADF): it is dropped when the input ends, and
  ///     until then a command that writes more than the kernel holds waits in write(2).
  ///   - Where the host closes an output in which the command waits in write(2), that call fails with EPIPE and no
  ///     signal; only the next one gives SIGPIPE.
  ///   - The kernel holds some 208 KiB at most (net.core.wmem_default) where a pipe holds 64; of pieces below 1 KiB
  ///     less: each counts as about 768 bytes. EngineOptions::chunk_bytes of 128 KiB gain a tenth of throughput.
  socket,
};

/// One of the command's descriptors. A value: cheap to copy, nothing is opened until the command is started.
class Stdio {
 public:
  enum class Kind : std::uint8_t {
    null,        ///< /dev/null.
    pipe,        ///< A pipe to or from the host, under credit; or a socket, see Transport.
    inherit,     ///< The host's descriptor of the same number (/dev/null where the host has none).
    file,        ///< A file, opened in the child: a slow file system delays only this command.
    descriptor,  ///< A descriptor of the host; duplicated when the command is started.
    merge,       ///< stderr into stdout's pipe (or the other way): one pipe, the kernel's order.
    closed,      ///< Not open at all.
    bytes,       ///< stdin only: known in advance, written by the engine, then end of input.
    terminal,    ///< The command's terminal (Command::terminal), of which the host has the other side, under credit.
  };
  enum class FileMode : std::uint8_t { read, truncate, append, read_write };

  [[nodiscard]] static Stdio null() { return Stdio{Kind::null}; }
  [[nodiscard]] static Stdio pipe() { return Stdio{Kind::pipe}; }
  [[nodiscard]] static Stdio inherit() { return Stdio{Kind::inherit}; }
  [[nodiscard]] static Stdio closed() { return Stdio{Kind::closed}; }
  /// stdin, stdout, stderr, any of them: all that say so share one terminal. Each names it to the verbs, for reading as
  /// for writing; what the command writes to /dev/tty comes with the rest.
  [[nodiscard]] static Stdio terminal() { return Stdio{Kind::terminal}; }
  /// stderr goes where stdout goes, or stdout where stderr goes.
  [[nodiscard]] static Stdio merge() { return Stdio{Kind::merge}; }
  [[nodiscard]] static Stdio file(std::string path, FileMode mode = FileMode::read, std::uint32_t permissions = 0666) {
    Stdio stdio{Kind::file};
    stdio.text_ = std::move(path);
    stdio.mode_ = mode;
    stdio.permissions_ = permissions;
    return stdio;
  }
  /// Borrowed: it must stay open until `spawn` or `run` was called; the engine duplicates it then.
  [[nodiscard]] static Stdio descriptor(int fd) {
    Stdio stdio{Kind::descriptor};
    stdio.fd_ = fd;
    return stdio;
  }
  [[nodiscard]] static Stdio bytes(std::string input) {
    Stdio stdio{Kind::bytes};
    stdio.text_ = std::move(input);
    return stdio;
  }

  /// The credit window of a pipe to the host, or the queue bound of a pipe from it; at least 1 byte. Of a terminal
  /// stdin's bounds the queue to it, and stdout's or stderr's the credit from it.
  [[nodiscard]] Stdio window(std::uint64_t bytes) && { window_bytes_ = bytes; return std::move(*this); }
  /// Of a pipe or known bytes: what carries them. Elsewhere Transport::socket is refused (invalid_argument).
  [[nodiscard]] Stdio transport(Transport transport) && { transport_ = transport; return std::move(*this); }
  /// F_SETPIPE_SZ for this pipe; 0 leaves the kernel's default (64 KiB). Of a socket the SO_SNDBUF of whoever writes,
  /// as far as net.core.wmem_max goes, never less than 208 KiB.
  [[nodiscard]] Stdio pipe_size(std::uint32_t bytes) && { pipe_bytes_ = bytes; return std::move(*this); }

  /// The largest chunk that a reader of this pipe gets (it is read in pieces of this size at most); 0: the engine's.
  [[nodiscard]] Stdio chunk(std::uint32_t bytes) && { chunk_bytes_ = bytes; return std::move(*this); }

  [[nodiscard]] Kind kind() const noexcept { return kind_; }
  [[nodiscard]] FileMode file_mode() const noexcept { return mode_; }
  [[nodiscard]] std::uint32_t permissions() const noexcept { return permissions_; }
  [[nodiscard]] int fd() const noexcept { return fd_; }
  [[nodiscard]] const std::string& text() const noexcept { return text_; }  ///< The path, or the bytes.
  [[nodiscard]] Transport transport() const noexcept { return transport_; }
  [[nodiscard]] std::uint64_t window_bytes() const noexcept { return window_bytes_; }  ///< 0: the engine's default.
  [[nodiscard]] std::uint32_t pipe_bytes() const noexcept { return pipe_bytes_; }
  [[nodiscard]] std::uint32_t chunk_bytes() const noexcept { return chunk_bytes_; }
  friend bool operator==(const Stdio&, const Stdio&) = default;

 private:
  explicit Stdio(Kind kind) noexcept : kind_(kind) {}
  Kind kind_;
  FileMode mode_ = FileMode::read;
  Transport transport_ = Transport::pipe;
  std::uint32_t permissions_ = 0666;
  int fd_ = -1;
  std::uint32_t pipe_bytes_ = 0;
  std::uint32_t chunk_bytes_ = 0;
  std::uint64_t window_bytes_ = 0;
  std::string text_;
};

/// A descriptor above 2. `to_command`: the host writes, the command reads; `from_command`: the other way.
enum class Direction : std::uint8_t { to_command, from_command };

struct ExtraDescriptor {
  int number = 3;  ///< What the command sees; 3 up to 255, unique.
  Direction direction = Direction::from_command;
  Stdio stdio = Stdio::null();
  friend bool operator==(const ExtraDescriptor&, const ExtraDescriptor&) = default;
};

}  // namespace netrunner
