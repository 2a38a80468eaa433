/* SPDX-License-Identifier: MIT
 *
 * What we are, and the CRIU whose protocol and images we speak (VERSION request).
 */
#ifndef PCR_CLI_VERSION_H
#define PCR_CLI_VERSION_H

#define PCR_VERSION "0.1"
#define PCR_CRIU_MAJOR 4
#define PCR_CRIU_MINOR 2

#endif
