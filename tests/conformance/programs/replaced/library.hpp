// A task in a library of its own.
#pragma once

int library_build();
