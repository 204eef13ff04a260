/* A web socket as a transport. */
/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/** Connects to the port of localhost, sends, and tells what it reads. @param scheme  ws or wss */
void use_transport(const char *scheme, int port);
