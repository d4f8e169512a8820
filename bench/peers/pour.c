/*
 * Pours a file into a TCP connection as fast as it is taken, so that what is measured is who takes it.
 *
 *   pour HOST PORT FILE
 */

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static void fail(const char *what)
{
    perror(what);
    exit(1);
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "pour HOST PORT FILE\n");
        return 2;
    }
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argv[2]))};
    if (inet_pton(AF_INET, argv[1], &address.sin_addr) != 1) fail("the host");
    int file = open(argv[3], O_RDONLY);
    struct stat status;
    if (file == -1 || fstat(file, &status) == -1) fail("the file");
    const size_t size = (size_t)status.st_size;
    const char *bytes = mmap(NULL, size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, file, 0);
    if (bytes == MAP_FAILED) fail("mmap");
    int to = socket(AF_INET, SOCK_STREAM, 0);
    if (to == -1 || connect(to, (struct sockaddr *)&address, sizeof address) == -1) fail("connect");
    for (size_t done = 0; done < size;) {
        const size_t left = size - done;
        const ssize_t sent = send(to, bytes + done, left < (1 << 18) ? left : (1 << 18), 0);
        if (sent <= 0) fail("send");
        done += (size_t)sent;
    }
    if (shutdown(to, SHUT_WR) == -1) fail("shutdown");
    /* Until the other side has read all and closes too. */
    char rest[256];
    while (recv(to, rest, sizeof rest, 0) > 0) {
    }
    return 0;
}
