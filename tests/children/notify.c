/* Speaks as sd_notify(3) has it: notify WORD...
 *   a message (\n in it as two characters)
 *   -b        waits until everything before was dealt with (sd_notify_barrier(3))
 *   -w        waits for ever
 *   -s US     silent for so long
 *   -a ADDR   to this address instead of $NOTIFY_SOCKET */
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct sockaddr_un address;
static socklen_t address_bytes;

static void set_address(const char* text) {
  memset(&address, 0, sizeof address);
  address.sun_family = AF_UNIX;
  strncpy(address.sun_path, text, sizeof address.sun_path - 1);
  if (text[0] == '@') address.sun_path[0] = '\0';
  address_bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(text));
}

static void send_with(int socket, const char* text, int descriptor) {
  struct iovec span = {(void*)text, strlen(text)};
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int))];
  } control;
  struct msghdr message = {&address, address_bytes, &span, 1, NULL, 0, 0};
  if (descriptor >= 0) {
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof control.bytes;
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(&control.header), &descriptor, sizeof descriptor);
  }
  if (sendmsg(socket, &message, 0) < 0) perror("sendmsg");
}

static void barrier(int socket) {
  int ends[2];
  struct pollfd closed;
  if (pipe(ends) != 0) return;
  send_with(socket, "BARRIER=1", ends[1]);
  close(ends[1]);
  closed.fd = ends[0];
  closed.events = 0;
  closed.revents = 0;
  poll(&closed, 1, -1);
  close(ends[0]);
}

static void say(int socket, const char* word) {
  char text[4096];
  size_t length = 0;
  for (; *word != '\0' && length + 1 < sizeof text; ++word) {
    const int newline = word[0] == '\\' && word[1] == 'n';
    text[length++] = newline ? '\n' : *word;
    if (newline) ++word;
  }
  text[length] = '\0';
  send_with(socket, text, -1);
}

int main(int argc, char** argv) {
  const int talk = socket(AF_UNIX, SOCK_DGRAM, 0);
  const char* given = getenv("NOTIFY_SOCKET");
  int i;
  if (given != NULL) set_address(given);
  for (i = 1; i < argc; ++i) {
    if (strcmp(argv[i], "-b") == 0) {
      barrier(talk);
    } else if (strcmp(argv[i], "-w") == 0) {
      for (;;) pause();
    } else if (strcmp(argv[i], "-s") == 0 && i + 1 < argc) {
      usleep((useconds_t)atoi(argv[++i]));
    } else if (strcmp(argv[i], "-a") == 0 && i + 1 < argc) {
      set_address(argv[++i]);
    } else {
      say(talk, argv[i]);
    }
  }
  return 0;
}
