#pragma once
/// System calls without libc: no errno, no thread-local storage, no stack protector. A child on the shepherd's memory
/// may use nothing else. Results are as the kernel gives them: -errno on failure. See syscall(2).

#include <sys/syscall.h>

#include <cstddef>

#include <cstdint>

namespace netrunner::shepherd::raw {

using Word = long;

template <class T>
[[gnu::always_inline]] inline Word word(T value) noexcept {
  return static_cast<Word>(value);
}
template <class T>
[[gnu::always_inline]] inline Word word(T* pointer) noexcept {
  return reinterpret_cast<Word>(pointer);
}
[[gnu::always_inline]] inline Word word(std::nullptr_t) noexcept { return 0; }

#if defined(__x86_64__)

[[gnu::always_inline]] inline Word call6(Word number, Word a, Word b, Word c, Word d, Word e, Word f) noexcept {
  Word result;
  register Word r10 asm("r10") = d;
  register Word r8 asm("r8") = e;
  register Word r9 asm("r9") = f;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
}

/// A clone call whose child begins in `function(argument)` on its own stack and never comes back.
[[gnu::noinline]] inline Word clone_call(Word number, Word a, Word b, Word c, Word d, Word e, void (*function)(void*),
                                         void* argument) noexcept {
  Word result;
  register Word r10 asm("r10") = d;
  register Word r8 asm("r8") = e;
  register void (*entry)(void*) asm("r12") = function;
  register void* given asm("r13") = argument;
  asm volatile(
      "syscall\n\t"
      "test %%rax, %%rax\n\t"
      "jnz 1f\n\t"
      "xor %%ebp, %%ebp\n\t"
      "mov %[given], %%rdi\n\t"
      "call *%[entry]\n\t"
      "ud2\n"
      "1:"
      : "=a"(result)
      : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), [entry] "r"(entry), [given] "r"(given)
      : "rcx", "r11", "memory");
  return result;
}

#elif defined(__aarch64__)

[[gnu::always_inline]] inline Word call6(Word number, Word a, Word b, Word c, Word d, Word e, Word f) noexcept {
  register Word x8 asm("x8") = number;
  register Word x0 asm("x0") = a;
  register Word x1 asm("x1") = b;
  register Word x2 asm("x2") = c;
  register Word x3 asm("x3") = d;
  register Word x4 asm("x4") = e;
  register Word x5 asm("x5") = f;
  asm volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
  return x0;
}

[[gnu::noinline]] inline Word clone_call(Word number, Word a, Word b, Word c, Word d, Word e, void (*function)(void*),
                                         void* argument) noexcept {
  register Word x8 asm("x8") = number;
  register Word x0 asm("x0") = a;
  register Word x1 asm("x1") = b;
  register Word x2 asm("x2") = c;
  register Word x3 asm("x3") = d;
  register Word x4 asm("x4") = e;
  register void (*entry)(void*) asm("x19") = function;
  register void* given asm("x20") = argument;
  asm volatile(
      "svc 0\n\t"
      "cbnz x0, 1f\n\t"
      "mov x29, xzr\n\t"
      "mov x0, x20\n\t"
      "blr x19\n\t"
      "brk #1\n"
      "1:"
      : "+r"(x0)
      : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(entry), "r"(given)
      : "memory");
  return x0;
}

#else
#error "the shepherd's raw system calls are written for x86_64 and aarch64"
#endif

template <class A = int, class B = int, class C = int, class D = int, class E = int, class F = int>
[[gnu::always_inline]] inline Word call(Word number, A a = {}, B b = {}, C c = {}, D d = {}, E e = {},
                                        F f = {}) noexcept {
  return call6(number, word(a), word(b), word(c), word(d), word(e), word(f));
}

/// The C library's memcpy and strlen may be reached through indirections; the child copies by itself.
inline std::size_t length(const char* text) noexcept {
  std::size_t count = 0;
  while (text[count] != 0) {
    ++count;
    asm("" : "+r"(count));  // Or the compiler makes a call of strlen from the loop.
  }
  return count;
}

[[noreturn]] inline void exit_now(int code) noexcept {
  for (;;) (void)call(SYS_exit_group, code);
}

}  // namespace netrunner::shepherd::raw
