// Boost.JSON, compiled here: its headers are installed, its library is not.
#include <boost/json/src.hpp>
