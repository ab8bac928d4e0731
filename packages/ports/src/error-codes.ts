/**
 * The closed registry of error codes: what it means, why it happens, how to mend it.
 * The error reference page is generated from this table. Keep it sorted.
 */
export const ERROR_CODES = {
  BLM_AGENT_DHCP_FAILED: 'No DHCP server gave the machine an address. Check the cable, the VLAN and the DHCP server.',
  BLM_AGENT_DISK_FAILED: 'A disk could not be wiped. Replace the disk, or take it out of the machine.',
  BLM_AGENT_IPMI_FAILED:
    'The BMC refused a command of the in-band set-up. Create a BMC user by hand and put it into the Server.',
  BLM_AGENT_KERNEL_ARGUMENT:
    'A kernel argument of the boot agent is missing or wrong. Let the machine boot from the plane.',
  BLM_AGENT_LINK_MISSING: 'The network interface that the machine booted from has no driver or no link.',
  BLM_API_BAD_REQUEST: 'The API refused the request as malformed. Read the message; mend the manifest or the flags.',
  BLM_API_AUTHORITY:
    'The certificate authority in DIR/pki cannot be read. Put ca.crt and ca.key back from a backup, or move both away to have a new one made: kubeconfigs that were given out stop working then.',
  BLM_API_CLIENT_CA:
    'The file of `--client-ca` cannot be read or holds no authority. Give a PEM file of CA certificates.',
  BLM_API_CONFLICT: 'The object changed since it was read. Read it again and repeat the change.',
  BLM_API_ALREADY_EXISTS: 'An object of this kind and name exists. Choose another name or update the existing one.',
  BLM_API_EXPIRED: 'The resource version is too old for a watch or a page. List again and watch from there.',
  BLM_API_FORBIDDEN: 'The user may not do this. Ask for the permission that the message names.',
  BLM_API_INVALID: 'The object failed validation. The message names each field path and rule.',
  BLM_API_METHOD_NOT_ALLOWED: 'This resource does not offer this operation.',
  BLM_API_NOT_FOUND: 'No object of this kind and name. Check the name, the namespace and the cluster.',
  BLM_API_SIGNING_KEY:
    'DIR/pki/sa.key, which signs service account tokens, cannot be used. Put the right P-256 or RSA key back, or move the file away: a new one is made and all tokens become invalid.',
  BLM_API_TOO_LARGE: 'The request body is larger than the API accepts.',
  BLM_API_UNAUTHORIZED: 'The credentials were missing or wrong. Check the kubeconfig.',
  BLM_API_UNAVAILABLE: 'The API could not answer. Check that `bloomery serve` runs and its address is reachable.',
  BLM_API_UNSUPPORTED_MEDIA: 'The API cannot read or write this content type for this resource.',
  BLM_API_WEBHOOK_FAILED:
    'An admission or conversion webhook could not be asked, or did not answer as it must. The message names it; see how-to/run-a-provider.',
  BLM_ASSET_CHECKSUM:
    'A downloaded kernel or initrd is not the file whose sha512 was asked for. Check the URL and the sum; the old file stays.',
  BLM_ASSET_DOWNLOAD:
    'A kernel or initrd could not be fetched. Check that the URL answers from this host, also through its proxy; it is tried again.',
  BLM_BACKUP_FAILED:
    'A backup could not be written. The message names the file or the connection; nothing that was there before was replaced.',
  BLM_BACKUP_INVALID:
    'A backup file is damaged, cut off, of a newer version, or no backup. Nothing was restored. Use another backup.',
  BLM_BMC_AUTH:
    'A BMC answered and refused user or password. Mend spec.bmc of the Server, or the Secret that it names; it is asked again by itself within five minutes.',
  BLM_BMC_FAILED:
    'A BMC answered a power command with an error. The message names the command; see `bloomery power status`.',
  BLM_BMC_SECRET_MISSING:
    'The Secret with the BMC credentials, or its key, does not exist. Create it or mend spec.bmc of the Server.',
  BLM_BMC_UNREACHABLE:
    'A BMC did not answer in time. Check its address, port, network and cipher suites; see `bloomery power status`.',
  BLM_CLI_FAILED: 'The command failed in a way that nobody foresaw. Report it with the message.',
  BLM_CLI_INTERRUPTED: 'The command was interrupted. What it had started goes on in the manager.',
  BLM_CLI_NAME_UNKNOWN: 'No object, kind or machine is known by this name. The message names the nearest ones.',
  BLM_CLI_NO_MANAGER:
    'The command does not know which manager to ask. Start `bloomery serve`, or give --kubeconfig or KUBECONFIG.',
  BLM_CLI_PARTLY_DONE: 'Some of the objects were changed and some were not. Each line says which, and why.',
  BLM_CLI_REFUSED: 'The command was refused before anything was changed. The message says by which rule.',
  BLM_CLI_USAGE: 'The command line cannot be understood. Run the command with --help.',
  BLM_CONTROLLER_DUPLICATE_WRITER:
    'Two controllers declare the same output. This is a fault of the program: report it.',
  BLM_COSI_BOOKMARK:
    'A watch asked to go on from an event that the node no longer remembers. Watch anew with the present contents.',
  BLM_COSI_CONFLICT:
    'The resource of the node changed since it was read, or others hold finalizers on it. It is tried again.',
  BLM_COSI_CONTROLLER: 'Two controllers of the node have the same name. Report it with the message.',
  BLM_COSI_EXISTS: 'A resource of this type and id is there already.',
  BLM_COSI_NOT_FOUND: 'No resource of this type and id. `talosctl get TYPE` lists what is there.',
  BLM_COSI_OUTPUT:
    'Two controllers of the node write the same type and one of them wants it for itself. Report it with the message.',
  BLM_COSI_OWNER: 'The resource belongs to another controller of the node; only its owner may change it.',
  BLM_COSI_PHASE: 'The resource is being torn down, or is not yet: the change is for another phase. It is tried again.',
  BLM_COSI_UNDECLARED:
    'A controller of the node read or wrote a type that it does not declare. Report it with the message.',
  BLM_COSI_UNKNOWN_TYPE: 'The node serves no resources of this type. `talosctl get rd` lists the types.',
  BLM_COSI_WATCH: 'The options of a watch exclude each other. The message names them.',
  BLM_DNS_NO_ANSWER:
    'A name server that was asked by hand gave no answer. Check that `bloomery node` runs here with host DNS on and can listen (`talosctl get dnsresolvecaches`), or ask another server.',
  BLM_DNS_UPSTREAM:
    'A name server could not be asked. The message names it and the reason; the others are asked instead, see `talosctl get dnsupstreams`.',
  BLM_GRPC_STATUS:
    "A gRPC call ended with a status other than OK. The facts name the status; the message is the peer's.",
  BLM_KERNEL_REFUSED:
    'The kernel refused a change of the network of this host. The message names the object, the error number and the words of the kernel; facts.errno is the name of the number. What was asked for is tried again by itself.',
  BLM_KERNEL_UNANSWERED:
    'The kernel gave no answer to a request over netlink in time, or netlink cannot be used: it needs Linux, and changes need the capability CAP_NET_ADMIN.',
  BLM_LAB_IMAGE_TOO_LARGE: 'A boot image outgrew its limit. Take modules or programs out of it.',
  BLM_LAB_PROGRAM_FAILED:
    'A system program that the lab drives failed or is missing. Run `make setup` and read the message.',
  BLM_LAB_STAGE_MISSED:
    'A machine of the lab did not reach a stage in time. Read its console log and `bloomery explain`.',
  BLM_KUBECONFIG_INVALID:
    'The kubeconfig, or a file that it names, cannot be used. The message names the file and the part.',
  BLM_LINK_API_URL_INVALID: 'The address of the SideroLink API cannot be read. Use grpc://HOST:PORT or https://HOST.',
  BLM_LINK_CONFIG_INVALID:
    'What a machine is told about its SideroLink cannot be used. The message names the document or flag and the field.',
  BLM_LINK_DEVICE_FAILED:
    'The WireGuard device could not be made or set up. The message names the step; the rest of the plane serves on.',
  BLM_LINK_KEY_INVALID: 'A WireGuard key is not 32 bytes in standard base64.',
  BLM_LINK_SECRET_INVALID:
    'The Secret default/siderolink is damaged. Restore it from a backup: a new one cuts off every linked machine.',
  BLM_LINK_UNREACHABLE:
    'A machine cannot connect to its SideroLink API or another server, or the proxy in front of it refused. The message names both; check HTTPS_PROXY, HTTP_PROXY and NO_PROXY.',
  BLM_NODE_AMBIGUOUS:
    'Two Nodes of a workload cluster carry the same provider id. The message names them; delete the one whose machine is gone.',
  BLM_NODE_APPLY_BUSY: 'Another configuration is being applied to the node at this moment. Apply this one afterwards.',
  BLM_NODE_APPLY_REBOOT:
    'The node daemon does not reboot its host. Apply with `--mode=staged` and restart the daemon, or with `--mode=no-reboot`.',
  BLM_NODE_CONFIG_MISSING:
    'The node daemon found no machine configuration. Give one with `--config FILE`, or look why DIR/config.yaml cannot be read.',
  BLM_NODE_CONFIG_UNWRITABLE:
    'The machine configuration could not be kept in the state folder, and was not applied. Look at the disk and the permissions of the folder.',
  BLM_NODE_DHCP:
    'A DHCP client cannot send or receive on its link. The message names the step and what the system said; raw sockets need root (CAP_NET_RAW). It is tried again by itself.',
  BLM_NODE_HOST_FILE:
    'A file of the host (resolv.conf, hosts, CA bundle, host name) cannot be read, written or put back. The message names the file and why; kept originals are in host-files in the folder of the daemon.',
  BLM_NODE_LINK_REFUSED:
    'A link of the configuration cannot be made as it is written: hardware has its name, the host of a WireGuard endpoint cannot be looked up, or the kernel does not do what it is told. The message names the link and the reason.',
  BLM_NODE_PROBE:
    'The endpoint of a probe of the network did not answer, or answered with an error. The message names it and says why; it is asked again by itself.',
  BLM_NODE_STATE:
    'A file in the folder of the network daemon cannot be understood. The message names it. Mend it, or remove it to begin anew.',
  BLM_NODE_STATE_UNUSABLE:
    'The state folder cannot be used: another daemon runs on it, it belongs to another user, or the disk refuses. The message says which. Stop that one, look at the disk and the permissions, or give --state another folder.',
  BLM_NODE_UNDONE:
    'What the network daemon puts in place is undone at once, again and again: two programs configure the same thing, or a driver does not do what it is told. The daemon goes on, less and less often. Tell the other program to leave it alone, or take it out of the configuration.',
  BLM_RESTORE_REFUSED:
    'A backup was not restored: the data directory is in use or is not empty. Stop the plane that uses it; `--force` keeps the old files aside.',
  BLM_RESTORE_UNFINISHED:
    'A restore into this data directory was interrupted. Run `bloomery restore FILE --force` again; the old files are in its folder before-restore-TIME.',
  BLM_SERVE_DATA_DIR:
    'The data directory cannot be made or written. Check its owner, its mode and the free space, or give another one with --data.',
  BLM_SERVE_ENVIRONMENT:
    'The file of --environment is no Environment. Give a manifest with kind Environment and a spec.',
  BLM_SERVE_LISTEN:
    'An address cannot be listened on: another process has it, or the port needs root. Stop the other process or choose another address.',
  BLM_SERVE_NO_ADDRESS:
    'No address of this host can be told to machines. Give one with --advertise, or bring the interface up.',
  BLM_STORE_CORRUPT:
    'The database, its write-ahead log, its mark or its key is damaged, missing or does not belong to the others. The message names the file and the cause. Keep the damaged files, find out what is wrong with the disk, and restore the directory with `bloomery restore`.',
  BLM_STORE_FORMAT:
    'The database was written by a newer version of Bloomery. Use that version or a newer one, or restore a backup.',
  BLM_STORE_LOCKED:
    'Another process has this data directory open. Stop it, or give this one another directory with --data.',
  BLM_STORE_NETWORK_DISK:
    'The data directory lies on a network file system. Locks and flushes do not hold there as the database needs it. Give a directory on a local disk with --data.',
  BLM_STORE_WRITE_FAILED:
    'The database could not commit: the disk is full, read-only or failing. Free space or mend the disk; nothing that was acknowledged is lost, and writes go on by themselves, without a restart.',
  BLM_TALOS_API_REFUSED:
    'A machine answered a call of the Talos API with an error. The message quotes it; facts.status is its gRPC code.',
  BLM_TALOS_API_UNREACHABLE:
    'The Talos API of a machine gave no answer in time, so whether it did what was asked is unknown. Check the power, the address and port 50000 of the machine.',
  BLM_TALOS_API_UNTRUSTED:
    'A machine and the plane do not trust each other: the machine belongs to another cluster, or was not configured by this one, or a certificate has expired.',
  BLM_TALOS_CERTIFICATE_MALFORMED:
    'A certificate or private key cannot be read. Check the PEM text and that both belong together.',
  BLM_TALOS_CONFIG_INVALID:
    'A machine configuration cannot be read or breaks a rule of Talos. The message names the place.',
  BLM_TALOS_PATCH_INVALID:
    'A machine configuration patch cannot be read or applied. The message names the operation and the path.',
  BLM_TALOS_SECRETS_INVALID: 'A secrets bundle is incomplete or cannot be read. The message names each missing part.',
  BLM_TALOS_VERSION_INVALID: 'A talosVersion cannot be read or is newer than this release knows. Use vMAJOR.MINOR.',
  BLM_TEMPLATE_MISSING:
    'A template that a Machine is to be made from does not exist, or its kind is not installed. Create it, or correct the reference.',
  BLM_TEMPLATE_TAKEN:
    'The name of an object that is to be made from a template is taken by another object. Delete or rename that one.',
  BLM_TLS_FILE:
    'The certificate or key of the machine port (`--tls-cert`, `--tls-key`) cannot be used. The message names the file; give PEM files that belong together.',
  BLM_WIRE_MALFORMED: 'Bytes from the network do not follow the protocol. The packet is dropped.',
  BLM_WIRE_TRUNCATED: 'Bytes from the network end too early. The packet is dropped.',
  BLM_WORKLOAD_UNREACHABLE:
    'The Kubernetes API of a cluster that was made here gives no answer, or has no kubeconfig yet. The message says why; it is tried again by itself.',
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;
