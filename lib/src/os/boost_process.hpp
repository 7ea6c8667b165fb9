#pragma once

// Boost.Process in its first form, wherever this Boost keeps it. Included by spawn.cpp alone.

#include <boost/version.hpp>

#define BOOST_POSIX_HAS_VFORK 1
#define BOOST_PROCESS_USE_STD_FS 1
#if BOOST_VERSION >= 108800
#define BOOST_PROCESS_VERSION 1
#include <boost/process/v1/child.hpp>
#include <boost/process/v1/error.hpp>
#include <boost/process/v1/extend.hpp>
#include <boost/process/v1/posix.hpp>
namespace procpool::inline v0::os {
namespace bp = boost::process::v1;
}
#else
#include <boost/process/child.hpp>
#include <boost/process/error.hpp>
#include <boost/process/extend.hpp>
#include <boost/process/posix.hpp>
namespace procpool::inline v0::os {
namespace bp = boost::process;
}
#endif
