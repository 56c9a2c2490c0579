/* SPDX-License-Identifier: ISC */
#include "io/state_dir.h"

#include "buf.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>

#define PID_FILE "aicaller.pid"

/* Makes a folder and those it lies in. */
static int make_folders(const char *path)
{
    char part[PATH_MAX];
    if (!aic_str_copy(aic_str(path), part, sizeof(part))) {
        errno = ENAMETOOLONG;
        return -1;
    }
    for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(part, 0700) != 0 && errno != EEXIST) {
            return -1;
        }
        *slash = '/';
    }
    return mkdir(part, 0700) == 0 || errno == EEXIST ? 0 : -1;
}

static int32_t open_folder(struct state_dir *dir, const char *path, char why[STATE_DIR_WHY])
{
    struct stat info;
    dir->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir->fd < 0 && errno == ENOENT && make_folders(path) == 0) {
        dir->fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    if (dir->fd < 0 || fstat(dir->fd, &info) != 0 ||
        (mkdirat(dir->fd, "spool", 0700) != 0 && errno != EEXIST)) {
        (void)snprintf(why, STATE_DIR_WHY,
                       "cannot use the state folder %.300s: %s; set server.state_dir to a folder "
                       "that this user may write to",
                       path, strerror(errno));
        return AIC_ERROR_IO;
    }
    if ((info.st_mode & S_IWOTH) != 0) {
        (void)snprintf(why, STATE_DIR_WHY,
                       "anybody may write to the state folder %.300s; run: chmod o-w '%.100s'",
                       path, path);
        return AIC_ERROR_DENIED;
    }
    return AIC_OK;
}

static int32_t lock_folder(struct state_dir *dir, const char *path, char why[STATE_DIR_WHY])
{
    char text[32] = "";
    dir->lock_fd = openat(dir->fd, PID_FILE, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (dir->lock_fd < 0) {
        (void)snprintf(why, STATE_DIR_WHY, "cannot write %.300s/" PID_FILE ": %s", path,
                       strerror(errno));
        return AIC_ERROR_IO;
    }
    if (flock(dir->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        ssize_t got = pread(dir->lock_fd, text, sizeof(text) - 1, 0);
        text[got > 0 ? strcspn(text, "\n") : 0] = '\0';
        (void)snprintf(why, STATE_DIR_WHY,
                       "another aicaller (process %s) runs on the state folder %.300s; stop it, or "
                       "give this one its own server.state_dir",
                       text[0] ? text : "unknown", path);
        return AIC_ERROR_BUSY;
    }
    int length = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
    if (ftruncate(dir->lock_fd, 0) != 0 ||
        pwrite(dir->lock_fd, text, (size_t)length, 0) != (ssize_t)length) {
        (void)snprintf(why, STATE_DIR_WHY, "cannot write %.300s/" PID_FILE ": %s", path,
                       strerror(errno));
        return AIC_ERROR_IO;
    }
    return AIC_OK;
}

int32_t state_dir_open(struct state_dir *dir, const char *path, char why[STATE_DIR_WHY])
{
    *dir = (struct state_dir){.fd = -1, .lock_fd = -1};
    int32_t status = open_folder(dir, path, why);
    if (status == AIC_OK) {
        status = lock_folder(dir, path, why);
    }
    if (status != AIC_OK) {
        /* Another server's process id stays where it is. */
        if (dir->lock_fd >= 0) {
            (void)close(dir->lock_fd);
        }
        dir->lock_fd = -1;
        state_dir_close(dir);
    }
    return status;
}

void state_dir_close(struct state_dir *dir)
{
    if (dir->lock_fd >= 0) {
        /* An old number left behind is harmless: the lock is what counts. */
        int left = ftruncate(dir->lock_fd, 0);
        (void)left;
        (void)close(dir->lock_fd);
    }
    if (dir->fd >= 0) {
        (void)close(dir->fd);
    }
    *dir = (struct state_dir){.fd = -1, .lock_fd = -1};
}
