// `bind` of libc's, narrowed to one network: see listen.c.

#pragma once
