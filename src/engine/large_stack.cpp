#include "engine/large_stack.hpp"

#include <pthread.h>

namespace stoq::engine {

void run_on_large_stack(FunctionRef<void()> body) {
  const auto start = [](void* context) -> void* {
    (*static_cast<FunctionRef<void()>*>(context))();
    return nullptr;
  };
  pthread_attr_t attributes;
  pthread_t thread{};
  bool started = false;
  if (::pthread_attr_init(&attributes) == 0) {
    started = ::pthread_attr_setstacksize(&attributes, stack_size) == 0 &&
              ::pthread_create(&thread, &attributes, start, &body) == 0;
    ::pthread_attr_destroy(&attributes);
  }
  if (started) {
    ::pthread_join(thread, nullptr);
  } else {
    body();
  }
}

}  // namespace stoq::engine
