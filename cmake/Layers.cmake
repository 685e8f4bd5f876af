# SPDX-License-Identifier: MIT
# Who may know whom. A layer links only what stands here, and ci/layers checks
# the #include lines against the same table.
set(SDTLS_LAYERS base wire mtu gate flow rules net tls session unseal capture endpoint)
set(SDTLS_DEPS_base "")
set(SDTLS_DEPS_wire base)
set(SDTLS_DEPS_mtu base)
set(SDTLS_DEPS_gate wire)
set(SDTLS_DEPS_flow wire)
set(SDTLS_DEPS_rules flow)
set(SDTLS_DEPS_capture flow)
set(SDTLS_DEPS_net base)
set(SDTLS_DEPS_tls wire)
set(SDTLS_DEPS_session tls)
set(SDTLS_DEPS_unseal wire)
set(SDTLS_DEPS_endpoint gate net session)

# What follows captures, and the search for path MTUs, is for the tools: a server has no use for it.
set(SDTLS_TOOL_LAYERS mtu flow rules unseal capture)
if(NOT SDTLS_TOOLS)
  list(REMOVE_ITEM SDTLS_LAYERS ${SDTLS_TOOL_LAYERS})
endif()

# A layer is the folder of its name in lib/, but for these.
set(SDTLS_FOLDER_rules flow/rules)

# sdtls_layer(name): the files of its folder as the objects sd_<name>_o and, for tests
# that want this layer and what is below it only, as the library sd_<name>.
function(sdtls_layer name)
  set(folder ${name})
  if(SDTLS_FOLDER_${name})
    set(folder ${SDTLS_FOLDER_${name}})
  endif()
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/lib/${folder}/*.c)
  add_library(sd_${name}_o OBJECT ${sources})
  target_include_directories(sd_${name}_o PUBLIC ${PROJECT_SOURCE_DIR}/lib ${PROJECT_SOURCE_DIR}/include)
  add_library(sd_${name} STATIC $<TARGET_OBJECTS:sd_${name}_o>)
  target_include_directories(sd_${name} PUBLIC ${PROJECT_SOURCE_DIR}/lib ${PROJECT_SOURCE_DIR}/include)
  foreach(dep ${SDTLS_DEPS_${name}})
    target_link_libraries(sd_${name} PUBLIC sd_${dep})
  endforeach()
endfunction()
