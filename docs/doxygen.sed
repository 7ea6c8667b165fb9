# What doxygen reads of a public header: names as users write them, without the inline namespace.
s/procpool::inline v0/procpool/
s/\bv0:://g

# Bases without arguments: what doxygen makes of `Base<Derived>` does not get the texts of groups.
s/ : public (Submissions|LockHandle|SemaphoreHandle|QueueHandle)<.*> \{/ : public \1 {/
