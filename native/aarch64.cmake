# 64-bit ARM Linux (Raspberry Pi 3 to 5) with Debian's cross compiler: apt install gcc-aarch64-linux-gnu
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
set(CMAKE_C_COMPILER aarch64-linux-gnu-gcc)
set(CMAKE_FIND_ROOT_PATH /usr/aarch64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
# where qemu-user is installed, ctest runs the programs with it
find_program(EK_QEMU NAMES qemu-aarch64-static qemu-aarch64)
if(EK_QEMU)
  set(CMAKE_CROSSCOMPILING_EMULATOR ${EK_QEMU} -L /usr/aarch64-linux-gnu)
endif()
