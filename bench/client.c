/**
 * The benchmark's client: does one operation again and again below a directory, checks each result, and prints one line of
 * JSON. In C, so that its own cost is a fraction of a microsecond beside a FUSE request; what is left shows in the row of the
 * backing directory itself.
 *
 *   client DIR prepare                              makes the files that the operations use
 *   client DIR OPERATION CLIENTS MS MIB [PID ...]   OPERATION for MS milliseconds in CLIENTS processes, or, if it is
 *                                                   sequential, until MIB are moved; PIDs: who serves DIR
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { FILES = 100, LISTED = 1000, READ_SIZE = 4096, WRITE_SIZE = 1024, BLOCK = 131072, CLIENTS_MAX = 64 };
/** Latencies in buckets of a sixteenth of an octave: within 5 % of the truth, from nanoseconds to minutes. */
enum { BUCKETS = 40 * 16 };

struct result {
	uint64_t operations, nanoseconds;
	uint32_t buckets[BUCKETS];
};
static struct shared {
	volatile int ready, go, done, clean;
	struct result results[CLIENTS_MAX];
} *shared;

static unsigned char pattern[BLOCK], buffer[BLOCK];
static int me;
static long serial;

static void fail(const char *what, const char *path) {
	fprintf(stderr, "client: %s %s: %s\n", what, path, strerror(errno));
	exit(1);
}
static void wrong(const char *what, const char *path) {
	fprintf(stderr, "client: wrong %s: %s\n", what, path);
	exit(1);
}

static uint64_t now(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static const char *path(const char *format, long number) {
	static char text[2][128];
	static int turn;
	turn ^= 1;
	snprintf(text[turn], sizeof text[turn], format, number);
	return text[turn];
}

static void put(const char *name, int flags, const void *data, size_t size) {
	int fd = open(name, O_WRONLY | flags, 0644);
	if (fd < 0) fail("open", name);
	if (write(fd, data, size) != (ssize_t)size) fail("write", name);
	if (close(fd) != 0) fail("close", name);
}

/** After the measurement: what was acknowledged must be there. */
static void expect_size(const char *name, off_t size) {
	struct stat st;
	if (stat(name, &st) != 0) fail("stat", name);
	if (st.st_size != size) wrong("size", name);
}
static void expect_content(const char *name, const void *data, size_t size) {
	int fd = open(name, O_RDONLY);
	if (fd < 0) fail("open", name);
	if (read(fd, buffer, BLOCK) != (ssize_t)size || memcmp(buffer, data, size) != 0) wrong("content", name);
	close(fd);
}

static void stat_cached(void) {
	struct stat st;
	const char *name = path("files/f%ld", serial % FILES);
	if (stat(name, &st) != 0) fail("stat", name);
	if (st.st_size != READ_SIZE) wrong("size", name);
}

static void stat_forced(void) {
	struct statx st;
	const char *name = path("files/f%ld", serial % FILES);
	if (statx(AT_FDCWD, name, AT_STATX_FORCE_SYNC, STATX_BASIC_STATS, &st) != 0) fail("statx", name);
	if (st.stx_size != READ_SIZE) wrong("size", name);
}

static void stat_absent(void) {
	struct stat st;
	const char *name = path("files/absent%ld", serial % FILES);
	if (stat(name, &st) == 0) wrong("file", name);
	if (errno != ENOENT) fail("stat", name);
}

static void open_read(void) {
	const char *name = path("files/f%ld", serial % FILES);
	int fd = open(name, O_RDONLY);
	if (fd < 0) fail("open", name);
	if (read(fd, buffer, READ_SIZE) != READ_SIZE) fail("read", name);
	if (memcmp(buffer, pattern, READ_SIZE) != 0) wrong("content", name);
	if (close(fd) != 0) fail("close", name);
}

static const char *mine(const char *kind, long number) {
	static char text[2][128];
	static int turn;
	turn ^= 1;
	snprintf(text[turn], sizeof text[turn], "work/%d/%s%ld", me, kind, number);
	return text[turn];
}

static void create(void) { put(mine("new", serial), O_CREAT | O_EXCL, pattern, WRITE_SIZE); }
static void create_end(long count) {
	for (long i = 0; i < count; i++) {
		const char *name = mine("new", i);
		if (i % 16 == 0) expect_content(name, pattern, WRITE_SIZE);
		else expect_size(name, WRITE_SIZE);
		if (unlink(name) != 0) fail("unlink", name);
	}
}

/** Another beginning each time, so that a lost overwrite shows. */
static const void *version(long number) { return pattern + number % 251; }

enum { OVERWRITTEN = 10 };
static void overwrite(void) { put(mine("over", serial % OVERWRITTEN), O_CREAT | O_TRUNC, version(serial), WRITE_SIZE); }
static void overwrite_end(long count) {
	for (long i = count > OVERWRITTEN ? count - OVERWRITTEN : 0; i < count; i++) {
		const char *name = mine("over", i % OVERWRITTEN);
		expect_content(name, version(i), WRITE_SIZE);
		unlink(name);
	}
}

static void replace(void) {
	const char *temporary = mine("tmp", 0), *name = mine("over", serial % OVERWRITTEN);
	put(temporary, O_CREAT | O_EXCL, version(serial), WRITE_SIZE);
	if (rename(temporary, name) != 0) fail("rename", name);
}

static void make_directory(void) {
	const char *name = mine("dir", serial % OVERWRITTEN);
	if (mkdir(name, 0755) != 0) fail("mkdir", name);
	if (rmdir(name) != 0) fail("rmdir", name);
}

static void list(int with_stat) {
	DIR *directory = opendir("list");
	if (directory == NULL) fail("opendir", "list");
	int count = 0;
	for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
		struct stat st;
		if (entry->d_name[0] == '.') continue;
		count++;
		if (!with_stat) continue;
		if (fstatat(dirfd(directory), entry->d_name, &st, 0) != 0) fail("stat", entry->d_name);
		if (!S_ISREG(st.st_mode)) wrong("type", entry->d_name);
	}
	closedir(directory);
	if (count != LISTED) wrong("number of entries", "list");
}
static void list_plain(void) { list(0); }
static void list_stat(void) { list(1); }

static int big;
static void write_begin(void) {
	const char *name = mine("big", 0);
	if ((big = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0644)) < 0) fail("open", name);
}
static void write_block(void) {
	if (write(big, pattern, BLOCK) != BLOCK) fail("write", "big");
}
static void write_end(long count) {
	if (close(big) != 0) fail("close", "big");
	expect_size(mine("big", 0), (off_t)count * BLOCK);
}
static void read_begin(void) {
	const char *name = mine("big", 0);
	if ((big = open(name, O_RDONLY)) < 0) fail("open", name);
}
static void read_block(void) {
	if (read(big, buffer, BLOCK) != BLOCK) fail("read", "big");
	if (memcmp(buffer, pattern, BLOCK) != 0) wrong("content", "big");
}
/** What was read is not needed any more: the files of all rows together would fill the memory. */
static void read_end(long count) {
	(void)count;
	close(big);
	unlink(mine("big", 0));
}

static const struct operation {
	const char *name;
	void (*run)(void), (*begin)(void), (*end)(long count);
	int sequential;
} OPERATIONS[] = {
	{"stat-cached", stat_cached, 0, 0, 0},
	{"stat-forced", stat_forced, 0, 0, 0},
	{"stat-absent", stat_absent, 0, 0, 0},
	{"open-read", open_read, 0, 0, 0},
	{"create", create, 0, create_end, 0},
	{"overwrite", overwrite, 0, overwrite_end, 0},
	{"replace", replace, 0, overwrite_end, 0},
	{"mkdir-rmdir", make_directory, 0, 0, 0},
	{"readdir", list_plain, 0, 0, 0},
	{"readdir-stat", list_stat, 0, 0, 0},
	{"seq-write", write_block, write_begin, write_end, 1},
	{"seq-read", read_block, read_begin, read_end, 1},
};

static void prepare(void) {
	mkdir("files", 0755);
	mkdir("list", 0755);
	mkdir("work", 0755);
	for (int i = 0; i < 8; i++) mkdir(path("work/%ld", i), 0755);
	for (int i = 0; i < FILES; i++) put(path("files/f%ld", i), O_CREAT | O_TRUNC, pattern, READ_SIZE);
	for (int i = 0; i < LISTED; i++) put(path("list/entry-number-%04ld", i), O_CREAT, "", 0);
}

static int bucket_of(uint64_t ns) {
	int octave = 63 - __builtin_clzll(ns | 16);
	int bucket = (octave - 4) * 16 + (int)((ns >> (octave - 4)) & 15);
	return bucket < BUCKETS ? bucket : BUCKETS - 1;
}
static double bucket_middle(int bucket) {
	int octave = bucket / 16 + 4;
	return ((double)(16 + bucket % 16) + 0.5) * (double)(1ull << (octave - 4));
}

static void work(const struct operation *op, int milliseconds, long blocks) {
	struct result *result = &shared->results[me];
	if (op->begin) op->begin();
	__sync_fetch_and_add(&shared->ready, 1);
	while (!shared->go) usleep(100);
	uint64_t start = now(), before = start, end = start + (uint64_t)milliseconds * 1000000u;
	for (serial = 0; op->sequential ? serial < blocks : before < end; serial++) {
		op->run();
		uint64_t after = now();
		result->buckets[bucket_of(after - before)]++;
		before = after;
	}
	result->operations = (uint64_t)serial;
	result->nanoseconds = before - start;
	__sync_fetch_and_add(&shared->done, 1);
	while (!shared->clean) usleep(1000);
	if (op->end) op->end(serial);
}

/** CPU time that the processes have used so far, ended threads included, in nanoseconds. */
static uint64_t cpu_time(int count, char **pids) {
	uint64_t sum = 0;
	for (int i = 0; i < count; i++) {
		clockid_t clock;
		struct timespec t;
		if (clock_getcpuclockid(atoi(pids[i]), &clock) != 0 || clock_gettime(clock, &t) != 0) fail("CPU time of", pids[i]);
		sum += (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
	}
	return sum;
}

/** Waits until all clients have come to that point. Returns false when one of them has failed. */
static int wait_for_all(volatile int *point, int clients) {
	while (*point < clients) {
		int status;
		if (waitpid(-1, &status, WNOHANG) > 0) return 0;
		usleep(200);
	}
	return 1;
}

static double percentile(int clients, double share) {
	uint64_t total = 0, seen = 0;
	for (int c = 0; c < clients; c++) total += shared->results[c].operations;
	for (int b = 0; b < BUCKETS; b++) {
		for (int c = 0; c < clients; c++) seen += shared->results[c].buckets[b];
		if ((double)seen >= (double)total * share) return bucket_middle(b) / 1000;
	}
	return 0;
}

int main(int count, char **arguments) {
	if (count < 3 || chdir(arguments[1]) != 0) fail("directory", count > 1 ? arguments[1] : "");
	for (int i = 0; i < BLOCK; i++) pattern[i] = (unsigned char)(i % 251);
	if (strcmp(arguments[2], "prepare") == 0) {
		prepare();
		return 0;
	}
	const struct operation *op = NULL;
	for (size_t i = 0; i < sizeof OPERATIONS / sizeof *OPERATIONS; i++)
		if (strcmp(OPERATIONS[i].name, arguments[2]) == 0) op = &OPERATIONS[i];
	if (op == NULL || count < 6) wrong("arguments", arguments[2]);
	int clients = atoi(arguments[3]), milliseconds = atoi(arguments[4]);
	if (clients < 1 || clients > 8) wrong("number of clients", arguments[3]);
	long blocks = atol(arguments[5]) * (1048576 / BLOCK) / clients;
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED) fail("mmap", "");
	for (me = 0; me < clients; me++)
		if (fork() == 0) {
			work(op, milliseconds, blocks);
			exit(0);
		}
	if (!wait_for_all(&shared->ready, clients)) return 1;
	uint64_t cpu = cpu_time(count - 6, arguments + 6);
	shared->go = 1;
	if (!wait_for_all(&shared->done, clients)) return 1;
	cpu = cpu_time(count - 6, arguments + 6) - cpu;
	shared->clean = 1;
	int failed = 0;
	for (int status; wait(&status) > 0;) failed |= status != 0;
	if (failed) return 1;
	double rate = 0;
	uint64_t operations = 0;
	for (int c = 0; c < clients; c++) {
		operations += shared->results[c].operations;
		rate += (double)shared->results[c].operations * 1e9 / (double)shared->results[c].nanoseconds;
	}
	printf("{\"operations\":%llu,\"perSecond\":%.2f,\"p50Us\":%.2f,\"p99Us\":%.2f,\"cpuUs\":%.3f}\n",
		(unsigned long long)operations, rate, percentile(clients, 0.5), percentile(clients, 0.99),
		(double)cpu / 1000 / (double)operations);
	return 0;
}
