/* SPDX-License-Identifier: ISC */
/* This machine: folders, space, descriptors, port, certificate. */
#include "cli/doctor.h"

#include "io/control_client.h"
#include "io/listener.h"

#include <errno.h>
#include <limits.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
    INSTANCE_MS = 3000,
    MIB = 1 << 20,
    LITTLE_SPACE_MIB = 1024,
    NO_SPACE_MIB = 100,
    FDS_PER_CALL = 6, /* the carrier's socket, three vendors, a recording, a spare one */
    FDS_BESIDES = 256,
    CERT_WARN_DAYS = 14,
    DAY_S = 86400
};

/* The folder itself, or the nearest one above it that exists. */
static bool existing(const char *path, char to[PATH_MAX], struct stat *info)
{
    if (!aic_str_copy(aic_str(path), to, PATH_MAX)) {
        return false;
    }
    while (stat(to, info) != 0) {
        char *slash = strrchr(to, '/');
        if (!slash || slash == to) {
            return stat("/", info) == 0 && aic_str_copy(aic_str("/"), to, PATH_MAX);
        }
        *slash = '\0';
    }
    return true;
}

static void look_at_space(struct doctor *doctor, const char *path)
{
    struct statvfs info;
    if (statvfs(path, &info) != 0) {
        return;
    }
    long long free_mib =
        (long long)((unsigned long long)info.f_bavail * info.f_frsize / (unsigned)MIB);
    bool has_inodes = info.f_files == 0 || info.f_favail > 0;
    if (free_mib >= LITTLE_SPACE_MIB && has_inodes) {
        doctor_ok(doctor, "disk", "%lld MiB free for records and recordings", free_mib);
        return;
    }
    doctor_bad(doctor, free_mib < NO_SPACE_MIB || !has_inodes ? FINDING_FAIL : FINDING_WARN, "disk",
               "make room, or move server.state_dir to a larger disk",
               has_inodes ? "%lld MiB free in %s" : "%lld MiB free in %s, but no room for files",
               free_mib, path);
}

static void look_at_folder(struct doctor *doctor, const char *path)
{
    struct stat info;
    char found[PATH_MAX];
    if (!existing(path, found, &info)) {
        doctor_bad(doctor, FINDING_FAIL, "state_dir", "set server.state_dir to a shorter path",
                   "%.200s can not be used", path);
        return;
    }
    bool is_there = strcmp(found, path) == 0;
    static const char *const own =
        "run this as the user that the server runs as, or give that user the folder (chown), or "
        "set server.state_dir to another one";
    if (!S_ISDIR(info.st_mode)) {
        doctor_bad(doctor, FINDING_FAIL, "state_dir", "set server.state_dir to a folder",
                   "%s is no folder", found);
    } else if (access(found, R_OK | W_OK | X_OK) != 0) {
        doctor_bad(doctor, FINDING_FAIL, "state_dir", own, "%s: %s", found, strerror(errno));
    } else if (is_there && (info.st_mode & S_IWOTH)) {
        doctor_bad(doctor, FINDING_FAIL, "state_dir", "chmod 700 that folder",
                   "anybody may write to %s: the server refuses it", path);
    } else if (is_there && (info.st_mode & (S_IRWXG | S_IRWXO))) {
        doctor_bad(doctor, FINDING_WARN, "state_dir", "chmod 700 that folder",
                   "%s has mode %04o: others may look at recordings and records", path,
                   (unsigned)(info.st_mode & 07777));
    } else if (is_there && info.st_uid != geteuid()) {
        doctor_bad(doctor, FINDING_WARN, "state_dir", own, "%s belongs to user %ld, not to %ld",
                   path, (long)info.st_uid, (long)geteuid());
    } else {
        doctor_ok(doctor, "state_dir", "%s%s", path, is_there ? "" : " will be made");
    }
    look_at_space(doctor, found);
}

static void look_at_port(struct doctor *doctor, const struct place *place)
{
    char why[LISTENER_WHY] = "";
    struct listeners listeners;
    int32_t status = listeners_open(&listeners, place->listen, place->port, why);
    if (status == AIC_OK) {
        listeners_close(&listeners);
    }
    if (status == AIC_OK && doctor->has_server) {
        doctor_bad(
            doctor, FINDING_FAIL, "port", "restart the server: it runs with another configuration",
            "a server runs here, but none listens on %s port %d", place->listen, (int)place->port);
    } else if (status == AIC_OK) {
        doctor_ok(doctor, "port", "%s port %d is free; no server runs", place->listen,
                  (int)place->port);
    } else if (doctor->has_server) {
        doctor_ok(doctor, "port", "the server listens on %s port %d", place->listen,
                  (int)place->port);
    } else {
        doctor_bad(doctor, FINDING_FAIL, "port",
                   "\"ss -ltnp\" shows who listens where; server.port and server.listen are ours",
                   "%s", why);
    }
}

static void ask_instance(struct doctor *doctor, struct control *control)
{
    struct aic_buf answer;
    int32_t status = AIC_OK;
    const struct control_question question = {
        .call_id = "", .kind = "instance", .body = AIC_STR("{}"), .timeout_ms = INSTANCE_MS};
    aic_buf_init(&answer, sizeof(doctor->instance));
    if (control_request(control, &question, &status, &answer) == AIC_OK && status == AIC_OK) {
        (void)aic_str_copy(aic_buf_view(&answer), doctor->instance, sizeof(doctor->instance));
    }
    aic_buf_finish(&answer);
}

void doctor_look_here(struct doctor *doctor, const struct place *place)
{
    struct control *control = NULL;
    int32_t status = control_open(place->state_dir, &control);
    doctor->has_server = status == AIC_OK || status == AIC_ERROR_DENIED;
    if (status == AIC_OK) {
        ask_instance(doctor, control);
    }
    control_close(control);
    look_at_folder(doctor, place->state_dir);
    look_at_port(doctor, place);
}

/* The limit of the running server, which systemd may have set; -1 = not to be found. */
static long long limit_of_server(const char *state_dir)
{
    char path[PATH_MAX + 32];
    char line[256];
    long pid = 0;
    long long limit = -1;
    (void)snprintf(path, sizeof(path), "%s/aicaller.pid", state_dir);
    FILE *file = fopen(path, "re");
    if (!file) {
        return -1;
    }
    if (fgets(line, sizeof(line), file)) {
        pid = strtol(line, NULL, 10);
    }
    (void)fclose(file);
    (void)snprintf(path, sizeof(path), "/proc/%ld/limits", pid);
    file = pid > 0 ? fopen(path, "re") : NULL;
    while (file && fgets(line, sizeof(line), file)) {
        if (strncmp(line, "Max open files", 14) == 0) {
            limit = strtoll(line + 14, NULL, 10);
        }
    }
    if (file) {
        (void)fclose(file);
    }
    return limit;
}

static void look_at_descriptors(struct doctor *doctor, const struct conf *conf,
                                const struct place *place)
{
    struct rlimit own = {0};
    long long needed = (long long)settings_int(conf->limits, "max_calls") * FDS_PER_CALL +
                       (long long)settings_int(conf->limits, "max_viewers") + FDS_BESIDES;
    long long limit = doctor->has_server ? limit_of_server(place->state_dir) : -1;
    const char *whose = limit >= 0 ? "the server" : "this user";
    if (limit < 0 && getrlimit(RLIMIT_NOFILE, &own) == 0) {
        /* The server takes all that it may. */
        limit = own.rlim_max == RLIM_INFINITY ? needed : (long long)own.rlim_max;
    }
    if (limit >= needed) {
        doctor_ok(doctor, "descriptors", "%s may open %lld files; %lld are enough for limits",
                  whose, limit, needed);
    } else {
        doctor_bad(doctor, FINDING_WARN, "descriptors",
                   "LimitNOFILE= in the systemd unit, or ulimit -n; or lower limits.max_calls and "
                   "limits.max_viewers",
                   "%s may open %lld files; these limits need about %lld", whose, limit, needed);
    }
}

static void look_at_certificate(struct doctor *doctor, const struct conf *conf)
{
    const char *path = settings_string(conf->setup->tls, "cert");
    if (!path || !path[0]) {
        return;
    }
    int days = 0;
    int seconds = 0;
    FILE *file = fopen(path, "re");
    X509 *cert = file ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;
    bool is_read = cert && ASN1_TIME_diff(&days, &seconds, NULL, X509_get0_notAfter(cert)) == 1;
    if (!is_read) {
        doctor_bad(doctor, FINDING_FAIL, "certificate",
                   "server.tls.cert must be a PEM file that the server's user may read", "%s: %s",
                   path, file ? "this is no certificate" : strerror(errno));
    } else if (days < 0 || seconds < 0) {
        doctor_bad(doctor, FINDING_FAIL, "certificate", "renew it, then reload the server",
                   "%s has expired", path);
    } else if (days < CERT_WARN_DAYS) {
        doctor_bad(doctor, FINDING_WARN, "certificate", "renew it, then reload the server",
                   "%s expires in %d days", path, days);
    } else {
        doctor_ok(doctor, "certificate", "%s is good for %d days", path, days);
    }
    X509_free(cert);
    if (file) {
        (void)fclose(file);
    }
}

void doctor_look_at_conf(struct doctor *doctor, const struct conf *conf, const struct place *place)
{
    look_at_descriptors(doctor, conf, place);
    look_at_certificate(doctor, conf);
    if (access("/usr/share/zoneinfo/Europe/London", R_OK) == 0) {
        doctor_ok(doctor, "zones", "the time zones of callees are known");
    } else {
        doctor_bad(doctor, FINDING_WARN, "zones", "apt-get install tzdata",
                   "/usr/share/zoneinfo is missing: nobody can be dialled by local hours");
    }
}
