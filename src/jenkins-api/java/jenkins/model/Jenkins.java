// SPDX-License-Identifier: MIT
package jenkins.model;

import hudson.FilePath;
import hudson.PluginManager;
import hudson.model.AbstractCIBase;
import hudson.model.Computer;
import hudson.model.ComputerSet;
import hudson.model.Describable;
import hudson.model.Descriptor;
import hudson.model.FingerprintMap;
import hudson.model.Item;
import hudson.model.ItemGroup;
import hudson.model.Node;
import hudson.model.Queue;
import hudson.model.View;
import hudson.security.ACL;
import hudson.security.AccessControlled;
import hudson.security.Permission;
import hudson.slaves.NodeDescriptor;
import hudson.util.VersionNumber;
import io.jenkins.plugins.checkpoint.signatures.Signatures;
import java.io.File;
import java.io.IOException;
import java.util.List;
import org.kohsuke.stapler.StaplerFallback;
import org.kohsuke.stapler.StaplerProxy;
import org.springframework.security.core.Authentication;

public class Jenkins extends AbstractCIBase implements StaplerProxy, StaplerFallback, AccessControlled {
    public static final Permission ADMINISTER = Signatures.none();
    public static final Permission MANAGE = Signatures.none();
    public static final Permission SYSTEM_READ = Signatures.none();
    public static final Permission READ = Signatures.none();

    public static Jenkins get() throws IllegalStateException {
        throw new UnsupportedOperationException();
    }

    public static Jenkins getInstanceOrNull() {
        throw new UnsupportedOperationException();
    }

    public PluginManager getPluginManager() {
        throw new UnsupportedOperationException();
    }

    public String getLegacyInstanceId() {
        throw new UnsupportedOperationException();
    }

    public ComputerSet getComputer() {
        throw new UnsupportedOperationException();
    }

    public Descriptor getDescriptor(String text) {
        throw new UnsupportedOperationException();
    }

    public Descriptor getDescriptor(Class<? extends Describable> type) {
        throw new UnsupportedOperationException();
    }

    public Descriptor getDescriptorOrDie(Class<? extends Describable> type) {
        throw new UnsupportedOperationException();
    }

    public <T extends Descriptor> T getDescriptorByType(Class<T> type) {
        throw new UnsupportedOperationException();
    }

    public String getFullName() {
        throw new UnsupportedOperationException();
    }

    public Computer[] getComputers() {
        throw new UnsupportedOperationException();
    }

    public Computer getComputer(String text) {
        throw new UnsupportedOperationException();
    }

    public Queue getQueue() {
        throw new UnsupportedOperationException();
    }

    public String getDisplayName() {
        throw new UnsupportedOperationException();
    }

    public Node getNode(String text) {
        throw new UnsupportedOperationException();
    }

    public List<Node> getNodes() {
        throw new UnsupportedOperationException();
    }

    public NodeDescriptor getDescriptor() {
        throw new UnsupportedOperationException();
    }

    public String getRootUrl() throws IllegalStateException {
        throw new UnsupportedOperationException();
    }

    public File getRootDir() {
        throw new UnsupportedOperationException();
    }

    public FilePath getRootPath() {
        throw new UnsupportedOperationException();
    }

    public boolean isUseSecurity() {
        throw new UnsupportedOperationException();
    }

    public ACL getACL() {
        throw new UnsupportedOperationException();
    }

    public boolean isTerminating() {
        throw new UnsupportedOperationException();
    }

    public final <T extends Item> T getItem(String text, ItemGroup itemGroup, Class<T> type) {
        throw new UnsupportedOperationException();
    }

    public final <T extends Item> T getItem(String text, Item item, Class<T> type) {
        throw new UnsupportedOperationException();
    }

    public <T extends Item> T getItemByFullName(String text, Class<T> type) {
        throw new UnsupportedOperationException();
    }

    public Item getItemByFullName(String text) {
        throw new UnsupportedOperationException();
    }

    public FingerprintMap getFingerprintMap() {
        throw new UnsupportedOperationException();
    }

    public void save() throws IOException {
        throw new UnsupportedOperationException();
    }

    public static Authentication getAuthentication2() {
        throw new UnsupportedOperationException();
    }

    public Object getTarget() {
        throw new UnsupportedOperationException();
    }

    public View getStaplerFallback() {
        throw new UnsupportedOperationException();
    }

    public static VersionNumber getVersion() {
        throw new UnsupportedOperationException();
    }

    Jenkins() {
        throw new UnsupportedOperationException();
    }
}
