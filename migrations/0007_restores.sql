-- Sandboxes that become what a snapshot holds, sandboxes whose processes stand on the disk, and how much may be kept.

ALTER TABLE sandboxes DROP CONSTRAINT sandboxes_status_check;
ALTER TABLE sandboxes ADD CONSTRAINT sandboxes_status_check
    CHECK (status IN ('creating', 'running', 'stopped', 'paused', 'error', 'deleting'));
ALTER TABLE sandboxes DROP CONSTRAINT sandboxes_on_idle_check;
ALTER TABLE sandboxes ADD CONSTRAINT sandboxes_on_idle_check CHECK (on_idle IN ('stop', 'delete', 'pause'));

-- The last restore of a sandbox. While it lasts the sandbox is `creating`.
ALTER TABLE sandboxes
    ADD COLUMN restore_id uuid,
    -- No foreign key: what was restored once may be deleted.
    ADD COLUMN restore_snapshot uuid,
    ADD COLUMN restore_memory boolean,
    -- Whether it reaches what the snapshot's sandbox reached, and not what it reached before.
    ADD COLUMN restore_network boolean,
    ADD COLUMN restore_status text CHECK (restore_status IN ('restoring', 'completed', 'failed')),
    ADD COLUMN restore_error text,
    ADD COLUMN restore_requested_at timestamptz,
    ADD COLUMN restore_finished_at timestamptz,
    -- Whoever carries it out, as long as that is said often enough.
    ADD COLUMN restore_owner uuid,
    ADD COLUMN restore_until timestamptz,
    ADD CHECK (num_nonnulls(restore_id, restore_snapshot, restore_memory, restore_network, restore_status) IN (0, 5));
CREATE INDEX sandboxes_restoring ON sandboxes (restore_snapshot) WHERE restore_status = 'restoring';

-- What the sandbox was when the snapshot was asked for: a new one is made like it.
ALTER TABLE snapshots
    ADD COLUMN runtime text,
    ADD COLUMN template text,
    ADD COLUMN template_version integer,
    ADD COLUMN memory_bytes bigint,
    ADD COLUMN cpu_millicores integer,
    ADD COLUMN process_limit integer,
    ADD COLUMN network_enabled boolean,
    ADD COLUMN allowed_hosts text[],
    ADD COLUMN environment text,
    ADD COLUMN ttl_seconds integer,
    ADD COLUMN idle_seconds integer,
    ADD COLUMN on_idle text;
-- One whose sandbox is gone keeps none of these: its state can be given to a sandbox that is there.
UPDATE snapshots p SET runtime = s.runtime, template = s.template, template_version = s.template_version,
    memory_bytes = s.memory_bytes, cpu_millicores = s.cpu_millicores, process_limit = s.process_limit,
    network_enabled = s.network_enabled, allowed_hosts = s.allowed_hosts, environment = s.environment,
    ttl_seconds = s.ttl_seconds, idle_seconds = s.idle_seconds, on_idle = s.on_idle
FROM sandboxes s WHERE s.id = p.sandbox_id;
CREATE INDEX snapshots_template ON snapshots (template, template_version) WHERE template_version IS NOT NULL;
-- What retention looks for.
CREATE INDEX snapshots_finished ON snapshots (finished_at) WHERE status IN ('completed', 'failed');

ALTER TABLE accounts
    ADD COLUMN snapshots_quota integer DEFAULT 100 CHECK (snapshots_quota >= 0),
    ADD COLUMN snapshot_bytes_quota bigint CHECK (snapshot_bytes_quota >= 0);
