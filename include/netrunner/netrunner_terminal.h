/// Terminals of commands, in C. Part of <netrunner/netrunner.h>, whose rules hold here.
#ifndef NETRUNNER_NETRUNNER_TERMINAL_H
#define NETRUNNER_NETRUNNER_TERMINAL_H

#include <netrunner/netrunner.h>

#ifdef __cplusplus
extern "C" {
#endif

/// In characters and in pixels (0: unknown); rows and columns are 1 or more.
typedef struct nr_window_size {
  uint16_t rows, columns;
  uint16_t x_pixels, y_pixels;
} nr_window_size;

/// What its terminal is like; `size` NULL: 24 rows of 80 columns. Where no stream leads to a terminal yet, stdin,
/// stdout and stderr all do from now on; nr_command_stdio and the like take a stream out again. `controlling`: the
/// command gets a session of its own, with this as controlling terminal (^C, job control and /dev/tty work).
void nr_command_terminal(nr_command* command, const nr_window_size* size, bool controlling);
void nr_command_terminal_raw(nr_command* command);  ///< Bytes as they come, both ways, as cfmakeraw(3) has it.
/// One of its modes before exec, by its number in RFC 4254 (section 8; netrunner::TerminalMode lists them): 53 is ECHO.
void nr_command_terminal_mode(nr_command* command, uint8_t mode, uint32_t value);

/// The size of its terminal; a change raises SIGWINCH in the foreground group. NR_ALREADY_EXITED;
/// NR_INVALID_ARGUMENT: no row or column, or it has no terminal.
nr_code nr_process_resize(nr_process* process, nr_window_size size, int64_t timeout_ns, nr_error* error);
/// A mode of its terminal as it is now, by its number in RFC 4254. Fails as nr_process_resize does.
nr_code nr_process_terminal_mode(nr_process* process, uint8_t mode, int64_t timeout_ns, uint32_t* value,
                                 nr_error* error);
nr_code nr_process_set_terminal_mode(nr_process* process, uint8_t mode, uint32_t value, int64_t timeout_ns,
                                     nr_error* error);

#ifdef __cplusplus
}
#endif

#endif
