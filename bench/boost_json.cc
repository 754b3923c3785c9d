// Boost.JSON's own sources, compiled once: Debian's libboost1.81-dev carries them as headers.
#include <boost/json/src.hpp>
