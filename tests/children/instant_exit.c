/* instant_exit [code]: ends at once, with 42 or the code: gone before anybody looks. */
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char** argv) { _exit(argc > 1 ? atoi(argv[1]) : 42); }
