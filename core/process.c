/* process.c -- /proc/self (proc(5)), getrusage(2) and getrlimit(2). */
#include "core/process.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static void write_one(struct buf *out, const char *name, const char *kind, const char *help,
                      double value)
{
    buf_addf(out,
             "# HELP nabat_process_%s %s\n# TYPE nabat_process_%s %s\nnabat_process_%s %.15g\n",
             name, help, name, kind, name, value);
}

/* The file's first line; false: it can't be read. */
static bool read_line(const char *path, char *line, int size)
{
    FILE *file = fopen(path, "r");
    bool ok = file && fgets(line, size, file);
    if (file)
        fclose(file);
    return ok;
}

static bool read_memory(double *virtual_bytes, double *resident_bytes)
{
    char line[256];
    char *rest = NULL;
    if (!read_line("/proc/self/statm", line, sizeof line))
        return false;
    double page = (double)sysconf(_SC_PAGESIZE);
    *virtual_bytes = (double)strtoul(line, &rest, 10) * page;
    *resident_bytes = (double)strtoul(rest, NULL, 10) * page;
    return true;
}

/* Without the folder's own. */
static int count_descriptors(void)
{
    int n = -1;
    DIR *folder = opendir("/proc/self/fd");
    for (const struct dirent *e; folder && (e = readdir(folder));)
        n += e->d_name[0] != '.';
    if (folder)
        closedir(folder);
    return n;
}

/* Unix time, from the boot's time and the process's start in ticks since then (field 22). */
static double started(void)
{
    char line[1024];
    struct timespec real;
    struct timespec boot;
    char *at = read_line("/proc/self/stat", line, sizeof line) ? strrchr(line, ')') : NULL;
    for (int field = 2; at && field < 22; field++)
        at = strchr(at + 1, ' ');
    if (!at || clock_gettime(CLOCK_REALTIME, &real) != 0 ||
        clock_gettime(CLOCK_BOOTTIME, &boot) != 0)
        return 0;
    unsigned long long ticks = strtoull(at, NULL, 10);
    double now = (double)real.tv_sec + (double)real.tv_nsec / 1e9;
    double up = (double)boot.tv_sec + (double)boot.tv_nsec / 1e9;
    return now - up + (double)ticks / (double)sysconf(_SC_CLK_TCK);
}

static double seconds_of(const struct timeval *t)
{
    return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

void process_write(struct buf *out)
{
    struct rusage usage;
    struct rlimit files;
    double virtual_bytes = 0;
    double resident_bytes = 0;
    double since = started();
    buf_addf(out,
             "# HELP nabat_build_info The version of the program.\n# TYPE nabat_build_info gauge\n"
             "nabat_build_info{version=\"%s\"} 1\n",
             NABAT_VERSION);
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        write_one(out, "cpu_seconds_total", "counter", "User and system time spent.",
                  seconds_of(&usage.ru_utime) + seconds_of(&usage.ru_stime));
    if (read_memory(&virtual_bytes, &resident_bytes)) {
        write_one(out, "virtual_memory_bytes", "gauge", "Virtual memory.", virtual_bytes);
        write_one(out, "resident_memory_bytes", "gauge", "Resident memory.", resident_bytes);
    }
    write_one(out, "open_fds", "gauge", "Open file descriptors.", count_descriptors());
    if (getrlimit(RLIMIT_NOFILE, &files) == 0)
        write_one(out, "max_fds", "gauge", "The most file descriptors that may be open.",
                  (double)files.rlim_cur);
    if (since > 0)
        write_one(out, "start_time_seconds", "gauge", "Start of the process, Unix time.", since);
}
