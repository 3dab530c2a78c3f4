// MPI for Swift: typed functions that hide every handle and macro.
//
// MPI_COMM_WORLD, MPI_FLOAT and their like are macros over casts, which Swift does not import, and
// a handle is a pointer in Open MPI and an int in MPICH. Swift therefore sees only the wrappers
// below. Every function returns MPI's error code (0 is success) unless it says otherwise.

#pragma once

#include <dlfcn.h>
#include <fcntl.h>
#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

// A communicator handle; its bits mean nothing outside this file.
typedef struct {
  intptr_t bits;
} CMPICommunicator;

// A window handle; its bits mean nothing outside this file.
typedef struct {
  intptr_t bits;
} CMPIWindow;

// A pending non-blocking operation. The layout is MPI's own, so that arrays can be passed on as
// they are.
typedef struct {
  MPI_Request handle;
} CMPIRequest;

typedef enum : int32_t {
  CMPIReduceSum = 0,
  CMPIReduceMinimum = 1,
  CMPIReduceMaximum = 2,
} CMPIReduce;

static inline MPI_Comm cmpi_comm(CMPICommunicator communicator) {
  return (MPI_Comm)communicator.bits;
}

static inline MPI_Win cmpi_win(CMPIWindow window) { return (MPI_Win)window.bits; }

static inline MPI_Op cmpi_op(CMPIReduce operation) {
  switch (operation) {
  case CMPIReduceMinimum:
    return MPI_MIN;
  case CMPIReduceMaximum:
    return MPI_MAX;
  default:
    return MPI_SUM;
  }
}

// Session

// Whether this process may read another one's memory, by which Open MPI passes on long messages:
// tried on itself. A container may forbid it.
static inline bool cmpi_reads_memory(void) {
  char from = 0, to = 0;
  struct iovec local = {&to, 1}, remote = {&from, 1};
  return syscall(SYS_process_vm_readv, (long)getpid(), &local, 1L, &remote, 1L, 0L) == 1;
}

// Initializes MPI, asking for serialized threads. `*enough` tells whether at least
// MPI_THREAD_FUNNELED was given.
static inline int cmpi_initialize(int *enough) {
  int provided = MPI_THREAD_SINGLE;
  int code = MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &provided);
  *enough = provided >= MPI_THREAD_FUNNELED;
  return code;
}

static inline int cmpi_finalize(void) { return MPI_Finalize(); }

typedef int (*CMPIHelp)(const char *file, const char *topic, bool isError, ...);

static inline int cmpi_no_help(const char *file, const char *topic, bool isError, ...) { return 0; }

// Takes the place of the function by which Open MPI explains an abort in eight lines: it is called
// through a variable. (NULL looks in all libraries of the process.)
static inline void cmpi_silence_help(void) {
  CMPIHelp *help = (CMPIHelp *)dlsym(NULL, "opal_show_help");
  if (help) *help = cmpi_no_help;
}

// Gives up standard error, to which MPICH writes a line about an abort. Its own way to leave that line
// out keeps mpirun of 4.2.1 from reading what is aborted.
static inline void cmpi_silence_errors(void) {
  int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nowhere >= 0) dup2(nowhere, STDERR_FILENO);
}

static inline int cmpi_abort(CMPICommunicator communicator, int status) {
  return MPI_Abort(cmpi_comm(communicator), status);
}

static inline CMPICommunicator cmpi_world(void) {
  CMPICommunicator world = {(intptr_t)MPI_COMM_WORLD};
  return world;
}

// Makes a communicator's errors come back as codes.
static inline int cmpi_return_errors(CMPICommunicator communicator) {
  return MPI_Comm_set_errhandler(cmpi_comm(communicator), MPI_ERRORS_RETURN);
}

// How many characters, at least, the texts below need.
static inline int cmpi_text_capacity(void) {
  int capacity = MPI_MAX_LIBRARY_VERSION_STRING;
  if (capacity < MPI_MAX_ERROR_STRING) capacity = MPI_MAX_ERROR_STRING;
  if (capacity < MPI_MAX_PROCESSOR_NAME) capacity = MPI_MAX_PROCESSOR_NAME;
  return capacity + 1;
}

static inline int cmpi_error_text(int code, char *text) {
  int length = 0;
  return MPI_Error_string(code, text, &length);
}

static inline int cmpi_library_version(char *text) {
  int length = 0;
  return MPI_Get_library_version(text, &length);
}

static inline int cmpi_processor_name(char *text) {
  int length = 0;
  return MPI_Get_processor_name(text, &length);
}

// Communicators

static inline int cmpi_rank(CMPICommunicator communicator, int *rank) {
  return MPI_Comm_rank(cmpi_comm(communicator), rank);
}

static inline int cmpi_size(CMPICommunicator communicator, int *size) {
  return MPI_Comm_size(cmpi_comm(communicator), size);
}

// The ranks that can share memory with this one, in rank order.
static inline int cmpi_split_host(CMPICommunicator communicator, CMPICommunicator *part) {
  MPI_Comm split = MPI_COMM_NULL;
  int code =
      MPI_Comm_split_type(cmpi_comm(communicator), MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &split);
  part->bits = (intptr_t)split;
  return code;
}

// The ranks that give the same color, in rank order.
static inline int cmpi_split(CMPICommunicator communicator, int color, int key,
                             CMPICommunicator *part) {
  MPI_Comm split = MPI_COMM_NULL;
  int code = MPI_Comm_split(cmpi_comm(communicator), color, key, &split);
  part->bits = (intptr_t)split;
  return code;
}

static inline int cmpi_free_communicator(CMPICommunicator communicator) {
  MPI_Comm handle = cmpi_comm(communicator);
  return MPI_Comm_free(&handle);
}

// Collectives

static inline int cmpi_barrier(CMPICommunicator communicator) {
  return MPI_Barrier(cmpi_comm(communicator));
}

static inline int cmpi_broadcast_bytes(CMPICommunicator communicator, void *bytes, int count,
                                       int root) {
  return MPI_Bcast(bytes, count, MPI_BYTE, root, cmpi_comm(communicator));
}

static inline int cmpi_broadcast_floats(CMPICommunicator communicator, float *values, int count,
                                        int root) {
  return MPI_Bcast(values, count, MPI_FLOAT, root, cmpi_comm(communicator));
}

// One integer of each rank, in rank order, to every rank.
static inline int cmpi_all_gather_integer(CMPICommunicator communicator, int64_t value,
                                          int64_t *all) {
  return MPI_Allgather(&value, 1, MPI_INT64_T, all, 1, MPI_INT64_T, cmpi_comm(communicator));
}

// Bytes of each rank, in rank order, to every rank; lengths and places of all are known.
static inline int cmpi_all_gather_bytes(CMPICommunicator communicator, const void *own, int count,
                                        void *all, const int *counts, const int *starts) {
  return MPI_Allgatherv(own, count, MPI_BYTE, all, counts, starts, MPI_BYTE,
                        cmpi_comm(communicator));
}

// As many floats of each rank, in rank order, to every rank.
static inline int cmpi_all_gather_floats(CMPICommunicator communicator, const float *values,
                                         int count, float *all) {
  return MPI_Allgather(values, count, MPI_FLOAT, all, count, MPI_FLOAT, cmpi_comm(communicator));
}

static inline int cmpi_all_reduce_doubles(CMPICommunicator communicator, double *values, int count,
                                          CMPIReduce operation) {
  return MPI_Allreduce(MPI_IN_PLACE, values, count, MPI_DOUBLE, cmpi_op(operation),
                       cmpi_comm(communicator));
}

static inline int cmpi_all_reduce_floats(CMPICommunicator communicator, float *values, int count) {
  return MPI_Allreduce(MPI_IN_PLACE, values, count, MPI_FLOAT, MPI_SUM, cmpi_comm(communicator));
}

static inline int cmpi_all_reduce_or(CMPICommunicator communicator, uint32_t *flags) {
  return MPI_Allreduce(MPI_IN_PLACE, flags, 1, MPI_UINT32_T, MPI_BOR, cmpi_comm(communicator));
}

// Messages

static inline int cmpi_send_bytes(CMPICommunicator communicator, const void *bytes, int count,
                                  int rank, int tag) {
  return MPI_Send(bytes, count, MPI_BYTE, rank, tag, cmpi_comm(communicator));
}

static inline int cmpi_receive_bytes(CMPICommunicator communicator, void *bytes, int count,
                                     int rank, int tag) {
  return MPI_Recv(bytes, count, MPI_BYTE, rank, tag, cmpi_comm(communicator), MPI_STATUS_IGNORE);
}

static inline int cmpi_start_send(CMPICommunicator communicator, const void *bytes, int count,
                                  int rank, int tag, CMPIRequest *request) {
  return MPI_Isend(bytes, count, MPI_BYTE, rank, tag, cmpi_comm(communicator), &request->handle);
}

static inline int cmpi_start_receive(CMPICommunicator communicator, void *bytes, int count,
                                     int rank, int tag, CMPIRequest *request) {
  return MPI_Irecv(bytes, count, MPI_BYTE, rank, tag, cmpi_comm(communicator), &request->handle);
}

static inline int cmpi_wait_all(CMPIRequest *requests, int count) {
  return MPI_Waitall(count, (MPI_Request *)requests, MPI_STATUSES_IGNORE);
}

// Whether all operations have ended; those that have are given back.
static inline int cmpi_test_all(CMPIRequest *requests, int count, int *ended) {
  return MPI_Testall(count, (MPI_Request *)requests, ended, MPI_STATUSES_IGNORE);
}

// Shared memory

// Allocates `bytes` of this rank in a window that all ranks of one host map, and opens it for plain
// loads and stores. On failure `*window` must not be used.
static inline int cmpi_allocate_shared(CMPICommunicator communicator, size_t bytes,
                                       CMPIWindow *window) {
  MPI_Win handle = MPI_WIN_NULL;
  MPI_Info info = MPI_INFO_NULL;
  void *base = NULL;
  // Each rank's segment begins on a page of its own, so the memory can lie near its user.
  int code = MPI_Info_create(&info);
  if (code != MPI_SUCCESS) return code;
  code = MPI_Info_set(info, "alloc_shared_noncontig", "true");
  if (code == MPI_SUCCESS)
    code = MPI_Win_allocate_shared((MPI_Aint)bytes, 1, info, cmpi_comm(communicator), &base,
                                   &handle);
  MPI_Info_free(&info);
  if (code != MPI_SUCCESS) return code;
  MPI_Win_set_errhandler(handle, MPI_ERRORS_RETURN);
  window->bits = (intptr_t)handle;
  // The standard gives MPI_Win_sync a meaning only inside a passive access epoch.
  return MPI_Win_lock_all(MPI_MODE_NOCHECK, handle);
}

// Where this process sees the segment of `rank`.
static inline int cmpi_shared_segment(CMPIWindow window, int rank, void **base) {
  MPI_Aint bytes = 0;
  int unit = 0;
  return MPI_Win_shared_query(cmpi_win(window), rank, &bytes, &unit, base);
}

// Orders this process's loads and stores in the window before and after the call.
static inline int cmpi_synchronize(CMPIWindow window) { return MPI_Win_sync(cmpi_win(window)); }

static inline int cmpi_free_window(CMPIWindow window) {
  MPI_Win handle = cmpi_win(window);
  int code = MPI_Win_unlock_all(handle);
  if (code != MPI_SUCCESS) return code;
  return MPI_Win_free(&handle);
}

// Additions

// sum = a + b. The three must not overlap.
static inline void cmpi_add(float *restrict sum, const float *restrict a, const float *restrict b,
                            ptrdiff_t count) {
  for (ptrdiff_t i = 0; i < count; i++) sum[i] = a[i] + b[i];
}

// sum += a. The two must not overlap.
static inline void cmpi_accumulate(float *restrict sum, const float *restrict a, ptrdiff_t count) {
  for (ptrdiff_t i = 0; i < count; i++) sum[i] += a[i];
}
