// The least that a durable append can cost: FILE BYTES COUNT writes COUNT times BYTES bytes at the end of a new
// FILE, each followed by fdatasync, and prints how many a second.

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static double seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec + now.tv_nsec / 1e9;
}

int main(int argc, char **argv) {
  if (argc != 4) return 2;
  size_t bytes = strtoul(argv[2], NULL, 10);
  long count = strtol(argv[3], NULL, 10);
  char *line = malloc(bytes);
  int fd = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC, 0600);
  if (line == NULL || fd < 0) return 1;
  memset(line, 'x', bytes);
  double begin = seconds();
  for (long k = 0; k < count; k += 1) {
    if (write(fd, line, bytes) != (ssize_t)bytes || fdatasync(fd) != 0) return 1;
  }
  printf("%.1f\n", count / (seconds() - begin));
  return 0;
}
