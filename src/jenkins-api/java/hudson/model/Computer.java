// SPDX-License-Identifier: MIT
package hudson.model;

import hudson.remoting.VirtualChannel;
import hudson.security.AccessControlled;
import hudson.security.Permission;
import hudson.slaves.OfflineCause;
import io.jenkins.plugins.checkpoint.signatures.Signatures;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import org.kohsuke.stapler.StaplerProxy;

public abstract class Computer extends Actionable implements AccessControlled, StaplerProxy {
    public static final ExecutorService threadPoolForRemoting = Signatures.none();
    public static final Permission CONFIGURE = Signatures.none();
    public static final Permission EXTENDED_READ = Signatures.none();
    public static final Permission CONNECT = Signatures.none();

    public OfflineCause getOfflineCause() {
        throw new UnsupportedOperationException();
    }

    public abstract VirtualChannel getChannel();

    public String getName() {
        throw new UnsupportedOperationException();
    }

    public abstract Boolean isUnix();

    public Node getNode() {
        throw new UnsupportedOperationException();
    }

    public boolean isOffline() {
        throw new UnsupportedOperationException();
    }

    public final boolean isOnline() {
        throw new UnsupportedOperationException();
    }

    public String getDisplayName() {
        throw new UnsupportedOperationException();
    }

    public String getUrl() {
        throw new UnsupportedOperationException();
    }

    public List<Executor> getExecutors() {
        throw new UnsupportedOperationException();
    }

    public Map<Object, Object> getSystemProperties() throws IOException, InterruptedException {
        throw new UnsupportedOperationException();
    }

    public String getHostName() throws IOException, InterruptedException {
        throw new UnsupportedOperationException();
    }

    public Object getTarget() {
        throw new UnsupportedOperationException();
    }

    public static Computer currentComputer() {
        throw new UnsupportedOperationException();
    }

    Computer() {
        throw new UnsupportedOperationException();
    }
}
