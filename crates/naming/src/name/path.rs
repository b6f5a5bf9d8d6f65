//! A path to a structured name.

use std::{fmt, str::FromStr};

use common::{exit::Failure, text::visible};

use super::label::Name;

/// One step along a path.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Step {
    /// To this name in the directory reached.
    Down(Name),
    /// `..`: back to the directory above; the root is above itself.
    Up,
}

/// A path to a structured name: from the root, or from where resolution starts (the closure mechanism).
///
/// ```
/// use naming::name::Path;
/// assert_eq!("region1/../region2/server3".parse::<Path>().unwrap().to_string(), "region1/../region2/server3");
/// assert_eq!("/region1".parse::<Path>().unwrap().to_string(), "/region1");
/// assert!("region1//server1".parse::<Path>().is_err());
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Path {
    /// Whether it starts at the root.
    pub absolute: bool,
    /// Its steps.
    pub steps: Vec<Step>,
}

impl Path {
    /// The root.
    pub const ROOT: Self = Self {
        absolute: true,
        steps: Vec::new(),
    };

    /// A path of these components; `.` is skipped.
    ///
    /// # Errors
    /// When there is no component, an empty one, or one that is not a name (exit code 2).
    pub fn new<'a>(components: impl IntoIterator<Item = &'a str>) -> Result<Self, Failure> {
        let components: Vec<&str> = components.into_iter().collect();
        let shown = visible(components.join("/").as_bytes());
        Self::from_components(&components)
            .map_err(|why| Failure::could_not_run(format!("path '{shown}'"), why))
    }

    fn from_components(components: &[&str]) -> Result<Self, String> {
        if components.is_empty() || components.iter().any(|component| component.is_empty()) {
            return Err("a component is empty".into());
        }
        let mut steps = Vec::with_capacity(components.len());
        for component in components {
            match *component {
                "." => {}
                ".." => steps.push(Step::Up),
                name => steps.push(Step::Down(Name::new(name).map_err(|bad| bad.to_string())?)),
            }
        }
        Ok(Self {
            absolute: false,
            steps,
        })
    }

    /// The names from the root to the end of the path when it starts at `from`. It is lexical, without a name space: `..`
    /// removes the name before it.
    pub fn normalised(&self, from: &[Name]) -> Vec<Name> {
        let mut names = if self.absolute {
            Vec::new()
        } else {
            from.to_vec()
        };
        for step in &self.steps {
            match step {
                Step::Down(name) => names.push(name.clone()),
                Step::Up => drop(names.pop()),
            }
        }
        names
    }
}

impl FromStr for Path {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        if text == "/" {
            return Ok(Self::ROOT);
        }
        let relative = text.strip_prefix('/').unwrap_or(text);
        let components: Vec<&str> = relative.split('/').collect();
        let path = Self::from_components(&components).map_err(|why| {
            Failure::could_not_run(format!("path '{}'", visible(text.as_bytes())), why)
        })?;
        Ok(Self {
            absolute: relative.len() < text.len(),
            ..path
        })
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.absolute {
            f.write_str("/")?;
        }
        for (index, step) in self.steps.iter().enumerate() {
            let slash = if index > 0 { "/" } else { "" };
            match step {
                Step::Down(name) => write!(f, "{slash}{name}")?,
                Step::Up => write!(f, "{slash}..")?,
            }
        }
        Ok(())
    }
}
