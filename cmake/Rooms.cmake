# One object library per room, so that `ninja netrunner_flow` builds a room alone. The third argument lists the rooms
# below it: what its unit tests need at link time. tests/tidy holds the includes to the same arrows.
set(NETRUNNER_ROOMS "")

function(netrunner_room room)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "BELOW;LINK")
  file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/engine/${room}/*.cpp")
  if(NOT sources)
    return()
  endif()
  add_library(netrunner_${room} OBJECT ${sources})
  target_include_directories(netrunner_${room} PRIVATE "${PROJECT_SOURCE_DIR}" "${PROJECT_SOURCE_DIR}/include")
  target_link_libraries(netrunner_${room} PRIVATE netrunner_options Threads::Threads ${arg_LINK})
  set_target_properties(netrunner_${room} PROPERTIES POSITION_INDEPENDENT_CODE ON)
  set(NETRUNNER_ROOMS ${NETRUNNER_ROOMS} ${room} PARENT_SCOPE)
  set_property(GLOBAL PROPERTY netrunner_below_${room} ${arg_BELOW})
endfunction()

netrunner_room(os)
netrunner_room(ring BELOW os LINK PkgConfig::LIBURING)
netrunner_room(wire BELOW ring os LINK PkgConfig::LIBURING)
netrunner_room(reactor BELOW ring os)
netrunner_room(flow BELOW reactor ring os)
netrunner_room(containment BELOW reactor ring os)
netrunner_room(shepherd_link BELOW shepherd_image wire reactor ring os)
netrunner_room(shard BELOW flow containment shepherd_link shepherd_image wire reactor ring os)
netrunner_room(api BELOW daemon shard flow containment shepherd_link shepherd_image wire reactor ring os)
# Over the public headers alone; its unit tests need the library behind them.
netrunner_room(daemon BELOW api shard flow containment shepherd_link shepherd_image wire reactor ring os)
