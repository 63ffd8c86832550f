CREATE TABLE "auth_events" (
	"id" text PRIMARY KEY NOT NULL,
	"type" text NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"user_pk" text,
	"session_id" text,
	"ip" text,
	"user_agent" text,
	"details" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "auth_known_devices" (
	"device" text PRIMARY KEY NOT NULL,
	"user_pk" text NOT NULL,
	"last_seen_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
ALTER TABLE "auth_known_devices" ADD CONSTRAINT "auth_known_devices_user_pk_users_pk_fk" FOREIGN KEY ("user_pk") REFERENCES "public"."users"("pk") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "auth_events_user_pk_index" ON "auth_events" USING btree ("user_pk","id");--> statement-breakpoint
CREATE INDEX "auth_events_at_index" ON "auth_events" USING btree ("at");--> statement-breakpoint
CREATE INDEX "auth_known_devices_user_pk_index" ON "auth_known_devices" USING btree ("user_pk");--> statement-breakpoint
CREATE INDEX "auth_known_devices_last_seen_at_index" ON "auth_known_devices" USING btree ("last_seen_at");