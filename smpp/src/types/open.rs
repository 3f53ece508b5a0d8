/// Declares an integer of the wire with names for the values that the specification knows. The list is open: any
/// other value is kept as it is.
macro_rules! open_integer {
    (
        $(#[$meta:meta])* $name:ident($int:ty) { $($(#[$value_meta:meta])* $constant:ident = $value:literal $words:literal,)* }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
        #[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
        #[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize), serde(transparent))]
        pub struct $name(pub $int);

        impl $name {
            $($(#[$value_meta])* #[doc = concat!("`", $value, "`: ", $words, ".")] pub const $constant: Self = Self($value);)*

            /// What the value means, in short; none for a reserved or vendor's value.
            pub const fn meaning(self) -> Option<&'static str> {
                match self.0 {
                    $($value => Some($words),)*
                    _ => None,
                }
            }
        }

        impl From<$int> for $name {
            fn from(value: $int) -> Self {
                Self(value)
            }
        }

        impl From<$name> for $int {
            fn from(value: $name) -> Self {
                value.0
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match *self {
                    $(Self::$constant => f.write_str(stringify!($constant)),)*
                    Self(value) => write!(f, concat!(stringify!($name), "({})"), value),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self.meaning() {
                    Some(words) => f.pad(words),
                    None => write!(f, "{}", self.0),
                }
            }
        }
    };
}

pub(crate) use open_integer;
