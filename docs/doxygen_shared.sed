# As doxygen.sed, for headers that users get through shared.hpp: their classes say so.
s/procpool::inline v0/procpool/
s/ : public (LockHandle|SemaphoreHandle|QueueHandle)<.*> \{/ : public \1 {/
$!N
s/^(\/\/\/[^\n]*)\n(template <|class )/\1 \\headerfile shared.hpp procpool\/shared.hpp\n\2/
P
D
