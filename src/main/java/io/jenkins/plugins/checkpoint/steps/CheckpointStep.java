// SPDX-License-Identifier: MIT
package io.jenkins.plugins.checkpoint.steps;

import java.util.List;
import org.jenkinsci.plugins.workflow.steps.Step;
import org.kohsuke.stapler.DataBoundSetter;

/** Pipeline steps that dump or restore: what they have in common, the RPC options of CRIU by their camelCase names among it. */
public abstract class CheckpointStep extends Step {
    /** What was said, for the run. */
    final RunOptions options = new RunOptions();

    /** Only the classes of this package are. */
    CheckpointStep() {}

    private void put(String name, Object value) {
        if (value == null) {
            options.rpc.remove(name);
        } else {
            options.rpc.put(name, value);
        }
    }

    /** Name. */
    public String getName() {
        return options.name;
    }

    /** Sets {@link #getName}. */
    @DataBoundSetter
    public void setName(String name) {
        options.name = name == null ? "" : name.strip();
    }

    /** Keep. */
    public int getKeep() {
        return options.keep;
    }

    /** Sets {@link #getKeep}. */
    @DataBoundSetter
    public void setKeep(int keep) {
        options.keep = keep;
    }

    /** Compression. */
    public int getCompression() {
        return options.compression;
    }

    /** Sets {@link #getCompression}. */
    @DataBoundSetter
    public void setCompression(int compression) {
        options.compression = compression;
    }

    /** Include files. */
    public String getIncludes() {
        return options.includes;
    }

    /** Sets {@link #getIncludes}. */
    @DataBoundSetter
    public void setIncludes(String includes) {
        options.includes = RunOptions.text(includes);
    }

    /** Exclude files. */
    public String getExcludes() {
        return options.excludes;
    }

    /** Sets {@link #getExcludes}. */
    @DataBoundSetter
    public void setExcludes(String excludes) {
        options.excludes = RunOptions.text(excludes);
    }

    /** Archive. */
    public boolean isArchive() {
        return options.archive;
    }

    /** Sets {@link #isArchive}. */
    @DataBoundSetter
    public void setArchive(boolean archive) {
        options.archive = archive;
    }

    /** Engine. */
    public String getEngine() {
        return options.engine;
    }

    /** Sets {@link #getEngine}. */
    @DataBoundSetter
    public void setEngine(String engine) {
        options.engine = engine == null || engine.isBlank() ? "auto" : engine.strip();
    }

    /** TCP connections: the RPC option of that name. */
    public boolean isTcpEstablished() {
        return Boolean.TRUE.equals(options.rpc.get("tcpEstablished"));
    }

    /** Sets {@link #isTcpEstablished}. */
    @DataBoundSetter
    public void setTcpEstablished(boolean tcpEstablished) {
        put("tcpEstablished", tcpEstablished ? true : null);
    }

    /** Close TCP connections: the RPC option of that name. */
    public boolean isTcpClose() {
        return Boolean.TRUE.equals(options.rpc.get("tcpClose"));
    }

    /** Sets {@link #isTcpClose}. */
    @DataBoundSetter
    public void setTcpClose(boolean tcpClose) {
        put("tcpClose", tcpClose ? true : null);
    }

    /** Skip TCP connections in flight: the RPC option of that name. */
    public boolean isTcpSkipInFlight() {
        return Boolean.TRUE.equals(options.rpc.get("tcpSkipInFlight"));
    }

    /** Sets {@link #isTcpSkipInFlight}. */
    @DataBoundSetter
    public void setTcpSkipInFlight(boolean tcpSkipInFlight) {
        put("tcpSkipInFlight", tcpSkipInFlight ? true : null);
    }

    /** External Unix sockets: the RPC option of that name. */
    public boolean isExtUnixSk() {
        return Boolean.TRUE.equals(options.rpc.get("extUnixSk"));
    }

    /** Sets {@link #isExtUnixSk}. */
    @DataBoundSetter
    public void setExtUnixSk(boolean extUnixSk) {
        put("extUnixSk", extUnixSk ? true : null);
    }

    /** Shell job: the RPC option of that name. */
    public boolean isShellJob() {
        return Boolean.TRUE.equals(options.rpc.get("shellJob"));
    }

    /** Sets {@link #isShellJob}. */
    @DataBoundSetter
    public void setShellJob(boolean shellJob) {
        put("shellJob", shellJob ? true : null);
    }

    /** File locks: the RPC option of that name. */
    public boolean isFileLocks() {
        return Boolean.TRUE.equals(options.rpc.get("fileLocks"));
    }

    /** Sets {@link #isFileLocks}. */
    @DataBoundSetter
    public void setFileLocks(boolean fileLocks) {
        put("fileLocks", fileLocks ? true : null);
    }

    /** Evasive devices: the RPC option of that name. */
    public boolean isEvasiveDevices() {
        return Boolean.TRUE.equals(options.rpc.get("evasiveDevices"));
    }

    /** Sets {@link #isEvasiveDevices}. */
    @DataBoundSetter
    public void setEvasiveDevices(boolean evasiveDevices) {
        put("evasiveDevices", evasiveDevices ? true : null);
    }

    /** Link remap: the RPC option of that name. */
    public boolean isLinkRemap() {
        return Boolean.TRUE.equals(options.rpc.get("linkRemap"));
    }

    /** Sets {@link #isLinkRemap}. */
    @DataBoundSetter
    public void setLinkRemap(boolean linkRemap) {
        put("linkRemap", linkRemap ? true : null);
    }

    /** Force inode map: the RPC option of that name. */
    public boolean isForceIrmap() {
        return Boolean.TRUE.equals(options.rpc.get("forceIrmap"));
    }

    /** Sets {@link #isForceIrmap}. */
    @DataBoundSetter
    public void setForceIrmap(boolean forceIrmap) {
        put("forceIrmap", forceIrmap ? true : null);
    }

    /** Scan for watched files: the RPC option of that name. */
    public List<String> getIrmapScanPaths() {
        return RunOptions.list(options.rpc.get("irmapScanPaths"));
    }

    /** Sets {@link #getIrmapScanPaths}. */
    @DataBoundSetter
    public void setIrmapScanPaths(List<String> irmapScanPaths) {
        put("irmapScanPaths", RunOptions.split(irmapScanPaths));
    }

    /** Control groups: the RPC option of that name. */
    public boolean isManageCgroups() {
        return Boolean.TRUE.equals(options.rpc.get("manageCgroups"));
    }

    /** Sets {@link #isManageCgroups}. */
    @DataBoundSetter
    public void setManageCgroups(boolean manageCgroups) {
        put("manageCgroups", manageCgroups ? true : null);
    }

    /** Control group mode: the RPC option of that name. */
    public String getManageCgroupsMode() {
        return (String) options.rpc.get("manageCgroupsMode");
    }

    /** Sets {@link #getManageCgroupsMode}. */
    @DataBoundSetter
    public void setManageCgroupsMode(String manageCgroupsMode) {
        put("manageCgroupsMode", RunOptions.text(manageCgroupsMode));
    }

    /** Control group properties: the RPC option of that name. */
    public String getCgroupProps() {
        return (String) options.rpc.get("cgroupProps");
    }

    /** Sets {@link #getCgroupProps}. */
    @DataBoundSetter
    public void setCgroupProps(String cgroupProps) {
        put("cgroupProps", RunOptions.text(cgroupProps));
    }

    /** Control group properties file: the RPC option of that name. */
    public String getCgroupPropsFile() {
        return (String) options.rpc.get("cgroupPropsFile");
    }

    /** Sets {@link #getCgroupPropsFile}. */
    @DataBoundSetter
    public void setCgroupPropsFile(String cgroupPropsFile) {
        put("cgroupPropsFile", RunOptions.text(cgroupPropsFile));
    }

    /** Control group controllers: the RPC option of that name. */
    public List<String> getCgroupDumpController() {
        return RunOptions.list(options.rpc.get("cgroupDumpController"));
    }

    /** Sets {@link #getCgroupDumpController}. */
    @DataBoundSetter
    public void setCgroupDumpController(List<String> cgroupDumpController) {
        put("cgroupDumpController", RunOptions.split(cgroupDumpController));
    }

    /** Control group yard: the RPC option of that name. */
    public String getCgroupYard() {
        return (String) options.rpc.get("cgroupYard");
    }

    /** Sets {@link #getCgroupYard}. */
    @DataBoundSetter
    public void setCgroupYard(String cgroupYard) {
        put("cgroupYard", RunOptions.text(cgroupYard));
    }

    /** Freeze by control group: the RPC option of that name. */
    public String getFreezeCgroup() {
        return (String) options.rpc.get("freezeCgroup");
    }

    /** Sets {@link #getFreezeCgroup}. */
    @DataBoundSetter
    public void setFreezeCgroup(String freezeCgroup) {
        put("freezeCgroup", RunOptions.text(freezeCgroup));
    }

    /** Ghost limit: the RPC option of that name. */
    public int getGhostLimit() {
        return (int) options.rpc.getOrDefault("ghostLimit", 1 << 20);
    }

    /** Sets {@link #getGhostLimit}. */
    @DataBoundSetter
    public void setGhostLimit(int ghostLimit) {
        put("ghostLimit", ghostLimit == (1 << 20) ? null : ghostLimit);
    }

    /** Dump timeout: the RPC option of that name. */
    public int getTimeout() {
        return (int) options.rpc.getOrDefault("timeout", 0);
    }

    /** Sets {@link #getTimeout}. */
    @DataBoundSetter
    public void setTimeout(int timeout) {
        put("timeout", timeout == (0) ? null : timeout);
    }

    /** External resources: the RPC option of that name. */
    public List<String> getExternal() {
        return RunOptions.list(options.rpc.get("external"));
    }

    /** Sets {@link #getExternal}. */
    @DataBoundSetter
    public void setExternal(List<String> external) {
        put("external", RunOptions.split(external));
    }

    /** Skip mounts: the RPC option of that name. */
    public List<String> getSkipMnt() {
        return RunOptions.list(options.rpc.get("skipMnt"));
    }

    /** Sets {@link #getSkipMnt}. */
    @DataBoundSetter
    public void setSkipMnt(List<String> skipMnt) {
        put("skipMnt", RunOptions.split(skipMnt));
    }

    /** Enable file systems: the RPC option of that name. */
    public List<String> getEnableFs() {
        return RunOptions.list(options.rpc.get("enableFs"));
    }

    /** Sets {@link #getEnableFs}. */
    @DataBoundSetter
    public void setEnableFs(List<String> enableFs) {
        put("enableFs", RunOptions.split(enableFs));
    }

    /** External shared mounts: the RPC option of that name. */
    public boolean isExtSharing() {
        return Boolean.TRUE.equals(options.rpc.get("extSharing"));
    }

    /** Sets {@link #isExtSharing}. */
    @DataBoundSetter
    public void setExtSharing(boolean extSharing) {
        put("extSharing", extSharing ? true : null);
    }

    /** External master mounts: the RPC option of that name. */
    public boolean isExtMasters() {
        return Boolean.TRUE.equals(options.rpc.get("extMasters"));
    }

    /** Sets {@link #isExtMasters}. */
    @DataBoundSetter
    public void setExtMasters(boolean extMasters) {
        put("extMasters", extMasters ? true : null);
    }

    /** Automatic external mounts: the RPC option of that name. */
    public boolean isAutoExtMnt() {
        return Boolean.TRUE.equals(options.rpc.get("autoExtMnt"));
    }

    /** Sets {@link #isAutoExtMnt}. */
    @DataBoundSetter
    public void setAutoExtMnt(boolean autoExtMnt) {
        put("autoExtMnt", autoExtMnt ? true : null);
    }

    /** Mount compatibility mode: the RPC option of that name. */
    public boolean isMntnsCompatMode() {
        return Boolean.TRUE.equals(options.rpc.get("mntnsCompatMode"));
    }

    /** Sets {@link #isMntnsCompatMode}. */
    @DataBoundSetter
    public void setMntnsCompatMode(boolean mntnsCompatMode) {
        put("mntnsCompatMode", mntnsCompatMode ? true : null);
    }

    /** Root: the RPC option of that name. */
    public String getRoot() {
        return (String) options.rpc.get("root");
    }

    /** Sets {@link #getRoot}. */
    @DataBoundSetter
    public void setRoot(String root) {
        put("root", RunOptions.text(root));
    }

    /** Empty namespaces: the RPC option of that name. */
    public int getEmptyNs() {
        return (int) options.rpc.getOrDefault("emptyNs", 0);
    }

    /** Sets {@link #getEmptyNs}. */
    @DataBoundSetter
    public void setEmptyNs(int emptyNs) {
        put("emptyNs", emptyNs == (0) ? null : emptyNs);
    }

    /** CPU capabilities: the RPC option of that name. */
    public int getCpuCap() {
        return (int) options.rpc.getOrDefault("cpuCap", -1);
    }

    /** Sets {@link #getCpuCap}. */
    @DataBoundSetter
    public void setCpuCap(int cpuCap) {
        put("cpuCap", cpuCap == (-1) ? null : cpuCap);
    }

    /** Weak sysctls: the RPC option of that name. */
    public boolean isWeakSysctls() {
        return Boolean.TRUE.equals(options.rpc.get("weakSysctls"));
    }

    /** Sets {@link #isWeakSysctls}. */
    @DataBoundSetter
    public void setWeakSysctls(boolean weakSysctls) {
        put("weakSysctls", weakSysctls ? true : null);
    }

    /** Orphaned terminals: the RPC option of that name. */
    public boolean isOrphanPtsMaster() {
        return Boolean.TRUE.equals(options.rpc.get("orphanPtsMaster"));
    }

    /** Sets {@link #isOrphanPtsMaster}. */
    @DataBoundSetter
    public void setOrphanPtsMaster(boolean orphanPtsMaster) {
        put("orphanPtsMaster", orphanPtsMaster ? true : null);
    }

    /** Deduplicate: the RPC option of that name. */
    public boolean isAutoDedup() {
        return Boolean.TRUE.equals(options.rpc.get("autoDedup"));
    }

    /** Sets {@link #isAutoDedup}. */
    @DataBoundSetter
    public void setAutoDedup(boolean autoDedup) {
        put("autoDedup", autoDedup ? true : null);
    }

    /** Pre-dump mode: the RPC option of that name. */
    public String getPreDumpMode() {
        return (String) options.rpc.get("preDumpMode");
    }

    /** Sets {@link #getPreDumpMode}. */
    @DataBoundSetter
    public void setPreDumpMode(String preDumpMode) {
        put("preDumpMode", RunOptions.text(preDumpMode));
    }

    /** Network lock: the RPC option of that name. */
    public String getNetworkLock() {
        return (String) options.rpc.get("networkLock");
    }

    /** Sets {@link #getNetworkLock}. */
    @DataBoundSetter
    public void setNetworkLock(String networkLock) {
        put("networkLock", RunOptions.text(networkLock));
    }

    /** Security profile: the RPC option of that name. */
    public String getLsmProfile() {
        return (String) options.rpc.get("lsmProfile");
    }

    /** Sets {@link #getLsmProfile}. */
    @DataBoundSetter
    public void setLsmProfile(String lsmProfile) {
        put("lsmProfile", RunOptions.text(lsmProfile));
    }

    /** Mount context: the RPC option of that name. */
    public String getLsmMountContext() {
        return (String) options.rpc.get("lsmMountContext");
    }

    /** Sets {@link #getLsmMountContext}. */
    @DataBoundSetter
    public void setLsmMountContext(String lsmMountContext) {
        put("lsmMountContext", RunOptions.text(lsmMountContext));
    }

    /** Skip file mode check: the RPC option of that name. */
    public boolean isSkipFileRwxCheck() {
        return Boolean.TRUE.equals(options.rpc.get("skipFileRwxCheck"));
    }

    /** Sets {@link #isSkipFileRwxCheck}. */
    @DataBoundSetter
    public void setSkipFileRwxCheck(boolean skipFileRwxCheck) {
        put("skipFileRwxCheck", skipFileRwxCheck ? true : null);
    }

    /** Unprivileged: the RPC option of that name. */
    public boolean isUnprivileged() {
        return Boolean.TRUE.equals(options.rpc.get("unprivileged"));
    }

    /** Sets {@link #isUnprivileged}. */
    @DataBoundSetter
    public void setUnprivileged(boolean unprivileged) {
        put("unprivileged", unprivileged ? true : null);
    }

    /** Log level: the RPC option of that name. */
    public int getLogLevel() {
        return (int) options.rpc.getOrDefault("logLevel", 4);
    }

    /** Sets {@link #getLogLevel}. */
    @DataBoundSetter
    public void setLogLevel(int logLevel) {
        put("logLevel", logLevel == (4) ? null : logLevel);
    }

    /** TLS: the RPC option of that name. */
    public boolean isTls() {
        return Boolean.TRUE.equals(options.rpc.get("tls"));
    }

    /** Sets {@link #isTls}. */
    @DataBoundSetter
    public void setTls(boolean tls) {
        put("tls", tls ? true : null);
    }

    /** TLS CA certificate: the RPC option of that name. */
    public String getTlsCacert() {
        return (String) options.rpc.get("tlsCacert");
    }

    /** Sets {@link #getTlsCacert}. */
    @DataBoundSetter
    public void setTlsCacert(String tlsCacert) {
        put("tlsCacert", RunOptions.text(tlsCacert));
    }

    /** TLS revocation list: the RPC option of that name. */
    public String getTlsCacrl() {
        return (String) options.rpc.get("tlsCacrl");
    }

    /** Sets {@link #getTlsCacrl}. */
    @DataBoundSetter
    public void setTlsCacrl(String tlsCacrl) {
        put("tlsCacrl", RunOptions.text(tlsCacrl));
    }

    /** TLS certificate: the RPC option of that name. */
    public String getTlsCert() {
        return (String) options.rpc.get("tlsCert");
    }

    /** Sets {@link #getTlsCert}. */
    @DataBoundSetter
    public void setTlsCert(String tlsCert) {
        put("tlsCert", RunOptions.text(tlsCert));
    }

    /** TLS key: the RPC option of that name. */
    public String getTlsKey() {
        return (String) options.rpc.get("tlsKey");
    }

    /** Sets {@link #getTlsKey}. */
    @DataBoundSetter
    public void setTlsKey(String tlsKey) {
        put("tlsKey", RunOptions.text(tlsKey));
    }

    /** TLS without name check: the RPC option of that name. */
    public boolean isTlsNoCnVerify() {
        return Boolean.TRUE.equals(options.rpc.get("tlsNoCnVerify"));
    }

    /** Sets {@link #isTlsNoCnVerify}. */
    @DataBoundSetter
    public void setTlsNoCnVerify(boolean tlsNoCnVerify) {
        put("tlsNoCnVerify", tlsNoCnVerify ? true : null);
    }
}
