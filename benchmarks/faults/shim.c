/* Faults at the N-th change of the file system below one folder; loaded with LD_PRELOAD.
 *
 * Knows libc's calls that write, create, link, rename, remove, resize and flush. Knows nothing of
 * who calls. Memory maps and direct system calls are not seen. One process is armed at a time: the
 * control block is shared with its forks, and calls of any other process pass.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

enum kind { COUNT, KILL, TORN, EIO_ONCE, ENOSPC_ONCE, FULL, SHORT };
enum class { ANY, WRITE, SPACE, NUM_CLASSES };  /* every call; splittable writes; takes space */
enum verdict { PASS, FAIL, HALF, HALF_AND_DIE };

#define BLOCK 4096L
#define NOT_A_WRITE 0
#define MAX_LOGGED 16384

struct entry {
    char is_write, takes_space;
    char call[22], path[104];
};

static struct control {
    atomic_int pid;
    atomic_int kind;
    atomic_long target;
    atomic_long counts[NUM_CLASSES];
    atomic_int fired;
    atomic_long free_blocks;
    char call[32];
    char path[512];
    struct entry log[MAX_LOGGED];
} *control;

static char root[PATH_MAX];

__attribute__((constructor)) static void share(void) {
    control = mmap(NULL, sizeof *control, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

void fault_root(const char *folder) { snprintf(root, sizeof root, "%s", folder); }
void fault_arm(int kind, long target) {
    for (int i = 0; i < NUM_CLASSES; i++) control->counts[i] = 0;
    control->fired = 0;
    control->free_blocks = 0;
    control->call[0] = control->path[0] = 0;
    control->kind = kind;
    control->target = target;
    control->pid = getpid();
}
void fault_disarm(void) { control->pid = 0; }
long fault_count(int class) { return control->counts[class]; }
int fault_fired(void) { return control->fired; }
const char *fault_call(void) { return control->call; }
const char *fault_path(void) { return control->path; }
const struct entry *fault_logged(long number) { return &control->log[number]; }

#define REAL(name) \
    static __typeof__(&name) real; \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

static int is_below(const char *path) {
    size_t length = strlen(root);
    return length && !strncmp(path, root, length) && (path[length] == '/' || !path[length]);
}

static int is_armed(void) { return control && control->pid && control->pid == getpid(); }

static int name_of(int fd, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return 1;
}

static int absolute(int folder, const char *name, char *path) {
    if (name[0] == '/') { snprintf(path, PATH_MAX, "%s", name); return 1; }
    char parent[PATH_MAX];
    if (folder == AT_FDCWD ? !getcwd(parent, sizeof parent) : !name_of(folder, parent)) return 0;
    size_t length = strlen(parent);
    memcpy(path, parent, length + 1);
    snprintf(path + length, PATH_MAX - length, "/%s", name);
    return 1;
}

static const char *below(const char *path) {
    size_t skipped = strlen(root);
    return strlen(path) > skipped ? path + skipped : "/";
}

static void fire(const char *call, const char *path) {
    control->fired = 1;
    snprintf(control->call, sizeof control->call, "%s", call);
    snprintf(control->path, sizeof control->path, "%s", below(path));
}

static void record(long number, const char *call, const char *path, int is_write, int takes_space) {
    if (number > MAX_LOGGED) return;
    struct entry *entry = &control->log[number - 1];
    entry->is_write = is_write;
    entry->takes_space = takes_space;
    snprintf(entry->call, sizeof entry->call, "%s", call);
    snprintf(entry->path, sizeof entry->path, "%s", below(path));
}

/* What shall become of a call; `blocks`: the space that it takes (negative: gives back). */
static enum verdict judge(const char *call, const char *path, int is_splittable, long blocks) {
    int kind = control->kind;
    long any = atomic_fetch_add(&control->counts[ANY], 1) + 1;
    long write = is_splittable ? atomic_fetch_add(&control->counts[WRITE], 1) + 1 : 0;
    long space = blocks > 0 ? atomic_fetch_add(&control->counts[SPACE], 1) + 1 : 0;
    long number = kind == FULL ? space : kind == SHORT || kind == TORN ? write : any;
    if (kind == FULL) {
        int is_full = control->fired || (space && space >= control->target);
        if (!is_full) return PASS;
        if (blocks <= 0) { atomic_fetch_sub(&control->free_blocks, blocks); return PASS; }
        if (atomic_fetch_sub(&control->free_blocks, blocks) >= blocks) return PASS;
        atomic_fetch_add(&control->free_blocks, blocks);
        if (!control->fired) fire(call, path);
        errno = ENOSPC;
        return FAIL;
    }
    if (kind == COUNT) record(any, call, path, is_splittable, blocks > 0);
    if (kind == COUNT || number != control->target) return PASS;
    fire(call, path);
    if (kind == KILL) kill(getpid(), SIGKILL);
    if (kind == TORN) return HALF_AND_DIE;
    if (kind == SHORT) return HALF;
    errno = kind == EIO_ONCE ? EIO : ENOSPC;
    return FAIL;
}

static enum verdict at_path(const char *call, int folder, const char *name, long blocks) {
    char path[PATH_MAX];
    if (!is_armed() || !absolute(folder, name, path) || !is_below(path)) return PASS;
    return judge(call, path, NOT_A_WRITE, blocks);
}

static long blocks_of(off_t bytes) { return (bytes + BLOCK - 1) / BLOCK; }

static enum verdict at_fd(const char *call, int fd, int is_splittable, long blocks) {
    char path[PATH_MAX];
    if (!is_armed() || !name_of(fd, path) || !is_below(path)) return PASS;
    return judge(call, path, is_splittable, blocks);
}

/* The blocks by which a file grows when `size` bytes are written at `offset` (-1: where it is). */
static long growth(int fd, off_t offset, off_t size) {
    struct stat now;
    if (!is_armed() || fstat(fd, &now)) return 0;
    if (offset < 0) offset = fcntl(fd, F_GETFL) & O_APPEND ? now.st_size : lseek(fd, 0, SEEK_CUR);
    long more = blocks_of(offset + size) - blocks_of(now.st_size);
    return more > 0 ? more : 0;
}

static long blocks_at(int folder, const char *name) {
    struct stat now;
    if (!is_armed() || fstatat(folder, name, &now, AT_SYMLINK_NOFOLLOW)) return 0;
    return now.st_nlink > 1 && S_ISREG(now.st_mode) ? 0 : blocks_of(now.st_size);
}

static void die(void) { kill(getpid(), SIGKILL); }

#define WRITER(name, parameters, arguments, halved, offset, size) \
    ssize_t name parameters { \
        REAL(name); \
        switch (at_fd(#name, fd, (size) > 1, growth(fd, offset, size))) { \
        case FAIL: return -1; \
        case HALF: return real halved; \
        case HALF_AND_DIE: real halved; die(); /* fall through */ \
        default: return real arguments; \
        } \
    }

WRITER(write, (int fd, const void *data, size_t size), (fd, data, size), (fd, data, size / 2), -1, size)
WRITER(pwrite, (int fd, const void *data, size_t size, off_t at), (fd, data, size, at),
       (fd, data, size / 2, at), at, size)
WRITER(pwrite64, (int fd, const void *data, size_t size, off64_t at), (fd, data, size, at),
       (fd, data, size / 2, at), at, size)

static size_t length_of(const struct iovec *parts, int number) {
    size_t total = 0;
    for (int i = 0; i < number; i++) total += parts[i].iov_len;
    return total;
}

/* Half of the parts: of a single one, half of its bytes. */
#define HALVED(parts, number) \
    struct iovec half = {(parts)[0].iov_base, (parts)[0].iov_len / 2}; \
    const struct iovec *fewer = (number) > 1 ? (parts) : &half; \
    int num_fewer = (number) > 1 ? (number) / 2 : 1

#define VECTOR_WRITER(name, parameters, arguments, halved, offset) \
    ssize_t name parameters { \
        REAL(name); \
        size_t size = number > 0 ? length_of(parts, number) : 0; \
        if (!size) return real arguments; \
        HALVED(parts, number); \
        switch (at_fd(#name, fd, size > 1, growth(fd, offset, size))) { \
        case FAIL: return -1; \
        case HALF: return real halved; \
        case HALF_AND_DIE: real halved; die(); /* fall through */ \
        default: return real arguments; \
        } \
    }

VECTOR_WRITER(writev, (int fd, const struct iovec *parts, int number), (fd, parts, number),
              (fd, fewer, num_fewer), -1)
VECTOR_WRITER(pwritev, (int fd, const struct iovec *parts, int number, off_t at),
              (fd, parts, number, at), (fd, fewer, num_fewer, at), at)
VECTOR_WRITER(pwritev64, (int fd, const struct iovec *parts, int number, off64_t at),
              (fd, parts, number, at), (fd, fewer, num_fewer, at), at)

#define FD_CALL(type, name, parameters, arguments, fd, blocks) \
    type name parameters { \
        REAL(name); \
        return at_fd(#name, fd, NOT_A_WRITE, blocks) == FAIL ? -1 : real arguments; \
    }

static long resize(int fd, off_t size) {
    struct stat now;
    if (!is_armed() || fstat(fd, &now)) return 0;
    return blocks_of(size) - blocks_of(now.st_size);
}

FD_CALL(int, fsync, (int fd), (fd), fd, 0)
FD_CALL(int, fdatasync, (int fd), (fd), fd, 0)
FD_CALL(int, sync_file_range, (int fd, off64_t at, off64_t size, unsigned flags),
        (fd, at, size, flags), fd, 0)
FD_CALL(int, ftruncate, (int fd, off_t size), (fd, size), fd, resize(fd, size))
FD_CALL(int, ftruncate64, (int fd, off64_t size), (fd, size), fd, resize(fd, size))
FD_CALL(int, fallocate, (int fd, int mode, off_t at, off_t size), (fd, mode, at, size), fd,
        growth(fd, at, size))
FD_CALL(int, fallocate64, (int fd, int mode, off64_t at, off64_t size), (fd, mode, at, size), fd,
        growth(fd, at, size))
FD_CALL(int, fchmod, (int fd, mode_t mode), (fd, mode), fd, 0)
FD_CALL(ssize_t, sendfile, (int out, int in, off_t *at, size_t size), (out, in, at, size), out,
        growth(out, -1, size))
FD_CALL(ssize_t, sendfile64, (int out, int in, off64_t *at, size_t size), (out, in, at, size), out,
        growth(out, -1, size))
FD_CALL(ssize_t, copy_file_range,
        (int in, off64_t *in_at, int out, off64_t *out_at, size_t size, unsigned flags),
        (in, in_at, out, out_at, size, flags), out, 1)

/* These two return the error instead of setting errno. */
int posix_fallocate(int fd, off_t at, off_t size) {
    REAL(posix_fallocate);
    return at_fd("posix_fallocate", fd, NOT_A_WRITE, growth(fd, at, size)) == FAIL ? errno : real(fd, at, size);
}
int posix_fallocate64(int fd, off64_t at, off64_t size) {
    REAL(posix_fallocate64);
    return at_fd("posix_fallocate64", fd, NOT_A_WRITE, growth(fd, at, size)) == FAIL ? errno : real(fd, at, size);
}

/* What is there already takes no space when it is opened or made once more. */
static long creation(int folder, const char *path) {
    struct stat now;
    return fstatat(folder, path, &now, 0) ? 1 : 0;
}

#define PATH_CALL(name, parameters, arguments, folder, path, blocks) \
    int name parameters { \
        REAL(name); \
        return at_path(#name, folder, path, blocks) == FAIL ? -1 : real arguments; \
    }

PATH_CALL(mkdir, (const char *path, mode_t mode), (path, mode), AT_FDCWD, path, creation(AT_FDCWD, path))
PATH_CALL(mkdirat, (int folder, const char *path, mode_t mode), (folder, path, mode), folder, path,
          creation(folder, path))
PATH_CALL(rmdir, (const char *path), (path), AT_FDCWD, path, -1)
PATH_CALL(unlink, (const char *path), (path), AT_FDCWD, path, -blocks_at(AT_FDCWD, path))
PATH_CALL(unlinkat, (int folder, const char *path, int flags), (folder, path, flags), folder, path,
          -blocks_at(folder, path))
PATH_CALL(link, (const char *from, const char *to), (from, to), AT_FDCWD, to, 0)
PATH_CALL(linkat, (int old, const char *from, int folder, const char *to, int flags),
          (old, from, folder, to, flags), folder, to, 0)
PATH_CALL(symlink, (const char *from, const char *to), (from, to), AT_FDCWD, to, 1)
PATH_CALL(rename, (const char *from, const char *to), (from, to), AT_FDCWD, to, -blocks_at(AT_FDCWD, to))
PATH_CALL(renameat, (int old, const char *from, int folder, const char *to), (old, from, folder, to),
          folder, to, -blocks_at(folder, to))
PATH_CALL(renameat2, (int old, const char *from, int folder, const char *to, unsigned flags),
          (old, from, folder, to, flags), folder, to, -blocks_at(folder, to))
PATH_CALL(chmod, (const char *path, mode_t mode), (path, mode), AT_FDCWD, path, 0)
PATH_CALL(fchmodat, (int folder, const char *path, mode_t mode, int flags), (folder, path, mode, flags),
          folder, path, 0)
static long resize_at(const char *path, off_t size) {
    struct stat now;
    return stat(path, &now) ? 0 : blocks_of(size) - blocks_of(now.st_size);
}
PATH_CALL(truncate, (const char *path, off_t size), (path, size), AT_FDCWD, path, resize_at(path, size))
PATH_CALL(truncate64, (const char *path, off64_t size), (path, size), AT_FDCWD, path, resize_at(path, size))

#define MODE_OF(flags) \
    mode_t mode = 0; \
    if ((flags) & O_CREAT || ((flags) & O_TMPFILE) == O_TMPFILE) { \
        va_list rest; va_start(rest, flags); mode = va_arg(rest, mode_t); va_end(rest); \
    }
#define IS_MADE(flags) ((flags) & O_CREAT || ((flags) & O_TMPFILE) == O_TMPFILE)
#define OPENER(name) \
    int name(const char *path, int flags, ...) { \
        REAL(name); MODE_OF(flags) \
        if (IS_MADE(flags) && at_path(#name, AT_FDCWD, path, creation(AT_FDCWD, path)) == FAIL) return -1; \
        return real(path, flags, mode); \
    }
#define OPENER_AT(name) \
    int name(int folder, const char *path, int flags, ...) { \
        REAL(name); MODE_OF(flags) \
        if (IS_MADE(flags) && at_path(#name, folder, path, creation(folder, path)) == FAIL) return -1; \
        return real(folder, path, flags, mode); \
    }

OPENER(open)
OPENER(open64)
OPENER_AT(openat)
OPENER_AT(openat64)
PATH_CALL(creat, (const char *path, mode_t mode), (path, mode), AT_FDCWD, path, creation(AT_FDCWD, path))

#define STREAM_OPENER(name) \
    FILE *name(const char *path, const char *mode) { \
        REAL(name); \
        int is_made = mode[0] == 'w' || mode[0] == 'a'; \
        if (is_made && at_path(#name, AT_FDCWD, path, creation(AT_FDCWD, path)) == FAIL) return NULL; \
        return real(path, mode); \
    }

STREAM_OPENER(fopen)
STREAM_OPENER(fopen64)

size_t fwrite(const void *data, size_t size, size_t number, FILE *stream) {
    REAL(fwrite);
    if (!is_armed() || control->kind == SHORT) return real(data, size, number, stream);
    switch (at_fd("fwrite", fileno(stream), size * number > 1, blocks_of(size * number))) {
    case FAIL: return 0;
    case HALF_AND_DIE: real(data, 1, size * number / 2, stream); fflush(stream); die(); /* fall through */
    default: return real(data, size, number, stream);
    }
}

int fclose(FILE *stream) {
    REAL(fclose);
    int fate = is_armed() ? at_fd("fclose", fileno(stream), NOT_A_WRITE, 0) : PASS;
    int cause = errno, result = real(stream);
    if (fate == FAIL) { errno = cause; return EOF; }
    return result;
}

/* A full disk says so when it is asked. */
#define SPACE_TELLER(name, parameters, arguments, is_asked, found) \
    int name parameters { \
        REAL(name); \
        int result = real arguments; \
        if (!result && is_armed() && control->kind == FULL && control->fired && is_asked) \
            found->f_bavail = found->f_bfree = control->free_blocks * BLOCK / found->f_frsize; \
        return result; \
    }

static int is_name_below(const char *name) {
    char path[PATH_MAX];
    return absolute(AT_FDCWD, name, path) && is_below(path);
}

SPACE_TELLER(statvfs, (const char *path, struct statvfs *found), (path, found), is_name_below(path), found)
SPACE_TELLER(statvfs64, (const char *path, struct statvfs64 *found), (path, found), is_name_below(path), found)
