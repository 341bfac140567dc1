/// Output by lines, in C. Part of <netrunner/netrunner.h>, whose rules hold here.
#ifndef NETRUNNER_NETRUNNER_LINES_H
#define NETRUNNER_NETRUNNER_LINES_H

#include <netrunner/netrunner.h>

#ifdef __cplusplus
extern "C" {
#endif

// ----------------------------------------------------------------------------------------------------------- lines

/// The lines of an output stream. One thread at a time asks; nobody else reads the stream meanwhile.
typedef struct nr_lines nr_lines;

typedef enum nr_line_end {
  NR_LINE_NEWLINE,
  NR_LINE_CRLF,
  NR_LINE_NONE,  ///< End of output: a last line without an end.
  NR_LINE_CUT    ///< It is longer than the bound and goes on in the next piece.
} nr_line_end;

typedef struct nr_line {
  size_t size;
  const char* text;  ///< Without its end and without a NUL; lives until the next line is asked for. NULL: no more.
  size_t bytes;
  nr_line_end end;
  bool continues;    ///< It goes on from the piece before it.
  int stream;
} nr_line;
#define NR_LINE_INIT NR_INIT_(nr_line)

#define NR_ANY (-1)  ///< All output streams, in order of arrival; nr_line.stream tells them apart.

/// `bytes_max`: of one piece (0: 64 KiB). The process must outlive it.
nr_lines* nr_lines_new(nr_process* process, int stream, size_t bytes_max);
/// The next line; NR_OK with line->text == NULL is the end of output. A timeout loses nothing.
nr_code nr_lines_next(nr_lines* lines, int64_t timeout_ns, nr_line* line, nr_error* error);
void nr_lines_free(nr_lines* lines);

#ifdef __cplusplus
}
#endif

#endif
