/// Processes that others have started, in C. Part of <netrunner/netrunner.h>, whose rules hold here.
#ifndef NETRUNNER_NETRUNNER_ADOPTED_H
#define NETRUNNER_NETRUNNER_ADOPTED_H

#include <netrunner/netrunner.h>

#ifdef __cplusplus
extern "C" {
#endif

// --------------------------------------------------------------------------------- a process that others have started

/// Awaited, signalled and stopped by its pidfd, itself alone; freed, it is let alone. netrunner::Adopted.
typedef struct nr_adopted nr_adopted;

/// NR_NOT_FOUND: there is no such process. A number may be another process's by now; a pidfd can't be, it is
/// duplicated.
nr_code nr_adopt(nr_engine* engine, pid_t pid, nr_adopted** adopted, nr_error* error);
nr_code nr_adopt_pidfd(nr_engine* engine, int pidfd, nr_adopted** adopted, nr_error* error);
/// Its end. The status is known of a child of this process (yours to reap) and, since Linux 6.15, of one that its
/// parent has reaped in time; else NR_UNKNOWN. `status` and `reason` may be NULL.
nr_code nr_adopted_wait(nr_adopted* adopted, int64_t timeout_ns, nr_exit_status* status, nr_end_reason* reason,
                        nr_error* error);
nr_code nr_adopted_signal(nr_adopted* adopted, int signal, int64_t timeout_ns, nr_error* error);
/// As nr_process_stop; every signal goes to this process alone.
nr_code nr_adopted_stop(nr_adopted* adopted, const char* ladder, nr_error* error);
void nr_adopted_free(nr_adopted* adopted);

#ifdef __cplusplus
}
#endif

#endif
