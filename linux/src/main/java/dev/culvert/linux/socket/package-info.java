/// Makes and asks the sockets that neither the JDK nor Netty can: SEQPACKET, packet capture, socket diagnosis.
@NullMarked
package dev.culvert.linux.socket;

import org.jspecify.annotations.NullMarked;
