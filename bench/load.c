/* load.c -- HTTP load over kept-alive connections, closed or open loop; prints one line of JSON.
 *
 *     load --port N --requests FILE --connections N --seconds N [--rate N]
 *
 * FILE holds whole requests, each behind its length (4 bytes, little-endian); they are sent in turn, over and
 * over. Without --rate each connection sends its next request when the last one is answered. With it requests are
 * due by a Poisson process whether or not earlier ones are answered, and latency counts from when one was due (no
 * coordinated omission). */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <math.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS_MAX = 4096, ANSWER_BYTES_MAX = 16 * 1024, SAMPLES_MAX = 20 * 1000 * 1000 };

struct request {
    const char *bytes;
    size_t len;
};

struct connection {
    int fd;
    double due; /* of the request that it waits for; 0: free */
    const char *unsent;
    size_t unsent_len;
    size_t got;
    struct connection *next_free;
    char answer[ANSWER_BYTES_MAX];
};

static struct {
    int port;
    int connections;
    double seconds;
    double rate;
    const char *file;
} options;
static struct request *requests;
static size_t requests_count;
static size_t next_request;
static struct connection *connections;
static struct connection *free_connections;
static struct connection *last_free;
static int epoll;
static uint32_t *samples; /* microseconds */
static size_t samples_count;
static uint64_t statuses[6];
static uint64_t spooled;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what)
{
    fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void read_requests(void)
{
    struct stat st;
    int fd = open(options.file, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        die(options.file);
    size_t size = (size_t)st.st_size;
    const char *at = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
    if (at == MAP_FAILED)
        die(options.file);
    close(fd);
    const char *end = at + size;
    size_t room = 0;
    while (end - at >= 4) {
        uint32_t len = 0;
        memcpy(&len, at, sizeof len);
        at += sizeof len;
        if (len > (size_t)(end - at)) {
            fprintf(stderr, "load: %s is cut off\n", options.file);
            exit(1);
        }
        if (requests_count == room) {
            room = room ? room * 2 : 1024;
            requests = realloc(requests, room * sizeof *requests);
            if (!requests)
                die("requests");
        }
        requests[requests_count++] = (struct request){at, len};
        at += len;
    }
    if (!requests_count) {
        fprintf(stderr, "load: %s holds no request\n", options.file);
        exit(1);
    }
}

static void watch(struct connection *c, int op, uint32_t events)
{
    struct epoll_event e = {.events = events, .data.ptr = c};
    if (epoll_ctl(epoll, op, c->fd, &e) < 0)
        die("epoll_ctl");
}

static void open_connection(struct connection *c)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)options.port)};
    int one = 1;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (c->fd < 0 || connect(c->fd, (const struct sockaddr *)&to, sizeof to) < 0)
        die("connect");
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    watch(c, EPOLL_CTL_ADD, EPOLLIN);
}

static void send_more(struct connection *c)
{
    while (c->unsent_len) {
        ssize_t n = send(c->fd, c->unsent, c->unsent_len, MSG_NOSIGNAL);
        if (n < 0 && errno == EAGAIN) {
            watch(c, EPOLL_CTL_MOD, EPOLLIN | EPOLLOUT);
            return;
        }
        if (n < 0)
            die("send");
        c->unsent += n;
        c->unsent_len -= (size_t)n;
    }
}

static void begin(struct connection *c, double due)
{
    const struct request *r = &requests[next_request++ % requests_count];
    c->due = due;
    c->unsent = r->bytes;
    c->unsent_len = r->len;
    c->got = 0;
    send_more(c);
}

/* The whole answer is there: its length, else 0. */
static size_t answer_len(const struct connection *c)
{
    const char *head_end = memmem(c->answer, c->got, "\r\n\r\n", 4);
    if (!head_end)
        return 0;
    size_t head = (size_t)(head_end - c->answer) + 4;
    const char *length = memmem(c->answer, head, "ontent-", 7);
    while (length && strncasecmp(length, "ontent-length:", 14) != 0)
        length = memmem(length + 1, head - (size_t)(length + 1 - c->answer), "ontent-", 7);
    size_t body = length ? strtoul(length + 14, NULL, 10) : 0;
    return c->got >= head + body ? head + body : 0;
}

static void finish(struct connection *c, double at)
{
    unsigned kind = (unsigned)(c->answer[9] - '0');
    statuses[kind < 6 ? kind : 0]++;
    spooled += memmem(c->answer, c->got, "X-Nabat-Spooled", 15) != NULL;
    if (samples_count < SAMPLES_MAX)
        samples[samples_count++] = (uint32_t)((at - c->due) * 1e6);
    c->due = 0;
}

static bool on_readable(struct connection *c)
{
    ssize_t n = recv(c->fd, c->answer + c->got, sizeof c->answer - 1 - c->got, 0);
    if (n < 0 && errno == EAGAIN)
        return false;
    if (n <= 0) {
        fprintf(stderr, "load: the server closed a connection\n");
        exit(1);
    }
    c->got += (size_t)n;
    c->answer[c->got] = '\0';
    return answer_len(c) > 0;
}

static double poisson(double rate)
{
    return -log(1.0 - drand48()) / rate;
}

/* Sends what is due on what is free; when the next one is due. */
static double send_due(double next, double until)
{
    double at = now();
    while (next <= at && next < until && free_connections) {
        struct connection *c = free_connections;
        free_connections = c->next_free;
        begin(c, next);
        next += poisson(options.rate);
    }
    return next;
}

/* At the end of the queue: each is used in its turn, and none is idle for so long that the server closes it. */
static void give_free(struct connection *c)
{
    c->next_free = NULL;
    *(free_connections ? &last_free->next_free : &free_connections) = c;
    last_free = c;
}

static double run(void)
{
    double start = now();
    double until = start + options.seconds;
    double next = start;
    int busy = 0;
    for (int i = 0; i < options.connections; i++) {
        if (options.rate > 0)
            give_free(&connections[i]);
        else
            begin(&connections[i], now());
    }
    do {
        struct epoll_event ready[512];
        if (options.rate > 0)
            next = send_due(next, until);
        double wait = options.rate > 0 ? (next - now()) * 1000 : 100;
        struct timespec limit = {0, wait > 0 ? (long)(fmin(wait, 100) * 1e6) : 0};
        int n = epoll_pwait2(epoll, ready, 512, &limit, NULL);
        double at = now();
        for (int i = 0; i < n; i++) {
            struct connection *c = ready[i].data.ptr;
            if ((ready[i].events & EPOLLOUT) && c->unsent_len) {
                send_more(c);
                if (!c->unsent_len)
                    watch(c, EPOLL_CTL_MOD, EPOLLIN);
            }
            if (!(ready[i].events & ~(uint32_t)EPOLLOUT) || c->due == 0 || !on_readable(c))
                continue;
            finish(c, at);
            if (options.rate > 0)
                give_free(c);
            else if (at < until)
                begin(c, at);
        }
        busy = 0;
        for (int i = 0; i < options.connections && now() >= until; i++)
            busy += connections[i].due > 0;
    } while ((now() < until || busy || (options.rate > 0 && next < until)) && now() < until + 30);
    return now() - start;
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static double quantile_ms(double q)
{
    return samples_count ? samples[(size_t)((double)(samples_count - 1) * q)] / 1000.0 : 0;
}

static void report(double took)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    double cpu = (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                 (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6;
    qsort(samples, samples_count, sizeof *samples, compare);
    printf("{\"answers\": %zu, \"seconds\": %.3f, \"ok\": %llu, \"4xx\": %llu, \"5xx\": %llu, \"spooled\": %llu, "
           "\"p50_ms\": %.3f, \"p99_ms\": %.3f, \"p999_ms\": %.3f, \"most_ms\": %.3f, \"load_cpu_seconds\": %.3f}\n",
           samples_count, took, (unsigned long long)statuses[2], (unsigned long long)statuses[4],
           (unsigned long long)statuses[5], (unsigned long long)spooled, quantile_ms(0.5), quantile_ms(0.99),
           quantile_ms(0.999), quantile_ms(1), cpu);
}

static void read_options(int argc, char **argv)
{
    static const struct option LONG[] = {{"port", 1, NULL, 'p'},    {"requests", 1, NULL, 'f'}, {"connections", 1, NULL, 'c'},
                                         {"seconds", 1, NULL, 's'}, {"rate", 1, NULL, 'r'},     {NULL, 0, NULL, 0}};
    for (int o; (o = getopt_long(argc, argv, "", LONG, NULL)) != -1;) {
        switch (o) {
        case 'p': options.port = (int)strtol(optarg, NULL, 10); break;
        case 'f': options.file = optarg; break;
        case 'c': options.connections = (int)strtol(optarg, NULL, 10); break;
        case 's': options.seconds = strtod(optarg, NULL); break;
        case 'r': options.rate = strtod(optarg, NULL); break;
        default: exit(2);
        }
    }
    if (options.port <= 0 || !options.file || options.connections <= 0 || options.connections > CONNECTIONS_MAX ||
        options.seconds <= 0) {
        fprintf(stderr, "load: --port N --requests FILE --connections N (up to %d) --seconds N [--rate N]\n",
                CONNECTIONS_MAX);
        exit(2);
    }
}

int main(int argc, char **argv)
{
    read_options(argc, argv);
    read_requests();
    connections = calloc((size_t)options.connections, sizeof *connections);
    samples = mmap(NULL, SAMPLES_MAX * sizeof *samples, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (!connections || samples == MAP_FAILED || epoll < 0)
        die("memory");
    for (int i = 0; i < options.connections; i++)
        open_connection(&connections[i]);
    report(run());
    return statuses[2] == samples_count ? 0 : 3;
}
