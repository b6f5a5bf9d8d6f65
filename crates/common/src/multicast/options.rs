//! The options of a membership, declared once: both programs of experiment 4 have them.

/// Declares a program's options as [`options!`](crate::options) does, with those of a membership before the program's
/// own. The four whose meaning differs between the programs get their help text from the program.
///
/// The struct gets a method `membership`, which returns the [`MembershipArgs`](crate::multicast::membership::MembershipArgs).
#[macro_export]
macro_rules! membership_options {
    (
        $(#[$struct_meta:meta])*
        pub struct $name:ident of $cli:ident = $program:literal {
            group: $group:tt,
            count: $count:tt,
            for: $for:tt,
            offload: $offload:tt,
            $($own:tt)*
        }
    ) => {
        $crate::options! {
            $(#[$struct_meta])*
            pub struct $name of $cli = $program {
                #[doc = $group]
                #[arg(value_name = "ADDR")]
                group: Vec<$crate::multicast::membership::GroupAddress> => [root, doctor],
                /// The groups' port; 0 takes a free one [default: 5007]
                #[arg(value_name = "PORT")]
                port: u16 => [root, doctor],
                /// An interface by name, index or address, 'default', or 'all' [default: loopback]
                #[arg(value_name = "INTERFACE")]
                interface: String => [root, doctor],
                /// Receive from this sender only (source-specific, 232/8); may be repeated [default: from all]
                #[arg(value_name = "ADDR")]
                source: Vec<::std::net::Ipv4Addr> => [root, doctor],
                #[doc = $count]
                #[arg(value_name = "N")]
                count: u64,
                #[doc = $for]
                #[arg(value_name = "DURATION")]
                r#for: $crate::config::Period,
                /// Request a receive buffer of this size; prints what the kernel grants [default: 4194304]
                #[arg(value_name = "BYTES")]
                receive_buffer: usize => [root, doctor],
                #[doc = $offload]
                #[arg(value_name = "SWITCH", hide_possible_values = true)]
                offload: $crate::config::Switch,
                $($own)*
                /// Write the groups and the real port into this file once joined; removed at the end
                #[arg(value_name = "FILE", help_heading = "Output")]
                ready_file: ::std::path::PathBuf,
            } writes { ready_file }
        }

        impl $name {
            /// The options of the membership.
            pub fn membership(&self) -> $crate::multicast::membership::MembershipArgs {
                $crate::multicast::membership::MembershipArgs {
                    group: self.group.clone(),
                    port: self.port,
                    interface: self.interface.clone(),
                    source: self.source.clone(),
                    receive_buffer: self.receive_buffer,
                    offload: self.offload,
                    count: self.count,
                    end_after: self.r#for,
                }
            }
        }
    };
}
